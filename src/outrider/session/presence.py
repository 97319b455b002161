"""Presence: who watches a session now, by what client, and who types. Never stored; it needs no open log.

Told a few times a second at most, and less often where many watch, since everybody is told of everybody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from outrider.model.feed import FACES, SERVER_FRAME, PresenceFrame, Watching
from outrider.model.membership import person_key
from outrider.model.person import Person

TYPING_SECONDS = 8.0
"""Whoever says nothing for so long types no more."""

WINDOW_SECONDS = 0.25
CLIENTS_A_SECOND = 500
"""How many clients are told a second, at most: with a thousand, everybody every two seconds."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One attached client of a person."""

    person: Person
    client: str = "browser"
    guest: bool = False
    types_until: float = 0.0
    """By the loop's clock."""
    presence: "Presence | None" = None
    """Where it is shown, once it is attached."""

    def types(self, *, typing: bool) -> None:
        """Show the others that its person types, or does not any more."""
        if self.presence:
            self.presence.types(self, typing=typing)

    @property
    def key(self) -> tuple[str, bool]:
        """Whom the client belongs to. A guest is another person than somebody with the same address."""
        return person_key(self.person.email), self.guest


class Presence:
    """Who is there. `send` takes an encoded frame to every client."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._watchers: dict[Watcher, None] = {}
        self._told = ""
        self._timer: asyncio.TimerHandle | None = None
        self._dirty = False

    def arrive(self, watcher: Watcher) -> None:
        """A client is there. It is told too."""
        self._watchers[watcher] = None
        self._told = ""
        self._changed()

    def leave(self, watcher: Watcher) -> None:
        """A client is gone."""
        self._watchers.pop(watcher, None)
        self._changed()

    def types(self, watcher: Watcher, *, typing: bool) -> None:
        """A person types, or has stopped."""
        if watcher in self._watchers:
            watcher.types_until = asyncio.get_running_loop().time() + TYPING_SECONDS if typing else 0.0
            self._changed()

    def close(self) -> None:
        """Nobody is told anything any more."""
        if self._timer:
            self._timer.cancel()
        self._watchers.clear()

    def frame(self, now: float) -> PresenceFrame:
        """Who is there: who types first, then who came first."""
        people: dict[tuple[str, bool], list[Watcher]] = {}
        for watcher in self._watchers:
            people.setdefault(watcher.key, []).append(watcher)
        typing = dict.fromkeys(key for key, clients in people.items() if any(one.types_until > now for one in clients))
        first = [*typing, *islice((key for key in people if key not in typing), FACES)][:FACES]
        faces = tuple(_watching(people[key], typing=key in typing) for key in first)
        return PresenceFrame(people=faces, count=len(people), typing=len(typing))

    def _changed(self) -> None:
        self._dirty = True
        if self._timer is None:
            self._tell()

    def _tell(self) -> None:
        """Tell what is new, and look again after a window; where nothing is new and nobody types, that was the last."""
        loop = asyncio.get_running_loop()
        self._timer = None
        if not self._watchers:
            return
        frame = SERVER_FRAME.dump_json(self.frame(loop.time())).decode()
        if frame != self._told:
            self._told = frame
            self._send(frame.encode())
        types = any(watcher.types_until > loop.time() for watcher in self._watchers)
        if self._dirty or types:
            self._dirty = False
            window = max(WINDOW_SECONDS, len(self._watchers) / CLIENTS_A_SECOND)
            self._timer = loop.call_later(window, self._tell)


def _watching(clients: list[Watcher], *, typing: bool) -> Watching:
    first = clients[0]
    kinds = tuple(dict.fromkeys(client.client for client in clients))[:4]
    return Watching(person=first.person, guest=first.guest, clients=kinds, typing=typing)
