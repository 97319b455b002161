"""The link: the connection to a session's guest, and the engine that is spoken to over it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from outrider.model.sandbox import LimitCaps
from outrider.ports.engine import EngineSession
from outrider.ports.sandbox import Guest
from outrider.session.ear import Ear
from outrider.session.found import Found


class Link:
    """What one awake session is linked to."""

    guest: Guest | None
    found: Found
    """The sandbox that the guest is in."""
    engine: EngineSession | None
    ear: Ear | None
    """Hears the engine."""
    crashed: bool
    """Whether the machine stopped under the sandbox that was there last, so that its files were given up."""
    caps: LimitCaps
    """What the repository holds its sandboxes to: that of the sandbox that was started last."""

    def __init__(self) -> None:
        self.caps = LimitCaps()
        self.guest = None
        self.engine = None
        self.ear = None
        self.crashed = False
        self._up = asyncio.Event()

    async def reached(self) -> Guest:
        """The guest, waited for."""
        while self.guest is None:
            await self._up.wait()
        return self.guest

    @contextmanager
    def up(self, guest: Guest, found: Found) -> Iterator[None]:
        """The guest is ready for as long as this lives. The engine dies with the connection."""
        self.guest, self.found, self.crashed = guest, found, False
        self._up.set()
        try:
            yield
        finally:
            self._up.clear()
            self.guest = None
            self.drop_engine()

    def drop_engine(self) -> None:
        """The engine is not to be spoken to again. What it said is kept."""
        if self.ear:
            self.ear.finish()
        self.engine = self.ear = None
