"""The list of sessions, live: whoever looks at it is told the newest row of each session that changes.

Rows are told after they were written, so that a list read after the attach holds everything that was not told. Of many
changes to one session a client that reads slowly gets only the newest; one that reads nothing costs a row a session.
"""

import asyncio
from collections.abc import AsyncIterator

from outrider.ports.store import SessionRow

ROWS_AT_ONCE = 100
"""Most rows in one frame."""

MOST_WAITING = 5_000
"""Sessions that may have changed since a client last read. Beyond, it has to read its list again."""


class Listing:
    """One client that looks at the list."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._waiting: dict[str, SessionRow] = {}
        self._most = most_waiting
        self._missed = False
        self._open = True
        self._wake = asyncio.Event()

    def put(self, row: SessionRow) -> None:
        """A session changed."""
        self._waiting[row.id] = row
        if len(self._waiting) > self._most:
            self._waiting.clear()
            self._missed = True
            self._open = False
        self._wake.set()

    def close(self) -> None:
        """Nothing more comes; what waits is still delivered."""
        self._open = False
        self._wake.set()

    async def rows(self) -> AsyncIterator[tuple[SessionRow, ...]]:
        """Rows as they come, some at once. Ends where the server does, or where too many were missed."""
        while True:
            while self._waiting:
                batch = tuple(self._waiting.pop(key) for key in list(self._waiting)[:ROWS_AT_ONCE])
                yield batch
            if not self._open:
                return
            self._wake.clear()
            await self._wake.wait()

    @property
    def missed(self) -> bool:
        """Whether it ended because too much had changed since it was last read."""
        return self._missed


class ListHub:
    """Fans the changes out."""

    def __init__(self) -> None:
        self._listings: set[Listing] = set()

    def attach(self) -> Listing:
        """A client that is told everything from now on."""
        listing = Listing()
        self._listings.add(listing)
        return listing

    def detach(self, listing: Listing) -> None:
        """The client is gone."""
        self._listings.discard(listing)

    def tell(self, row: SessionRow) -> None:
        """A row was written."""
        for listing in self._listings:
            listing.put(row)

    def close(self) -> None:
        """The server ends."""
        for listing in self._listings:
            listing.close()
