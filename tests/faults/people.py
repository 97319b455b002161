"""People with a browser each: they follow sessions, do things, lose their connection, come back, and take notes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

ANSWER_SECONDS = 60
FRAME_SECONDS = 0.5
"""Nothing may be said for a while: whoever reads frames on the way to a deed does not wait for ever."""
PATIENCE_SECONDS = 3
"""How long somebody waits for a moment to act in; where it has not come, the deed is done nevertheless."""

Lost = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError)


@dataclass
class Seen:
    """What one person has seen of one session: every event as it came, its number and its bytes."""

    events: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Gaps and repeats."""

    @property
    def last(self) -> int:
        return int(self.events[-1]["seq"]) if self.events else 0

    def take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["seq"] != self.last + 1:
                self.faults.append(f"event {event['seq']} came after {self.last}")
            self.events.append(event)


@dataclass
class Accepted:
    """A prompt that the server said it has."""

    text: str
    seq: int
    prompt: str
    by: str


@dataclass
class Done:
    """Another deed that the server said it has done. `seq` is the number of its first event, 0 for none."""

    deed: str
    seq: int
    by: str
    prompt: str = ""
    text: str = ""


@dataclass
class Watcher:
    """One person's connection to one session."""

    name: str
    session: str
    cookie: str
    url: Callable[[], str]
    """Where the server is now: it may come back elsewhere. Raises ConnectionError while it is down."""
    seen: Seen = field(default_factory=Seen)
    accepted: list[Accepted] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    socket: ClientConnection | None = None
    sent: int = 0

    async def attach(self) -> None:
        """Come, or come back with what one has."""
        address = self.url().replace("http", "ws", 1) + f"/api/sessions/{self.session}/feed?after={self.seen.last}"
        headers = {"cookie": self.cookie}
        self.socket = await connect(address, additional_headers=headers, max_size=None, compression=None)

    async def leave(self) -> None:
        """Go without a word."""
        if self.socket:
            socket, self.socket = self.socket, None
            socket.transport.abort()
            with suppress(*Lost):
                await socket.wait_closed()

    async def come_back(self) -> None:
        """Be there again, however long it takes."""
        while self.socket is None:
            try:
                await self.attach()
            except Lost:
                await asyncio.sleep(0.05)  # the server is being started again

    async def look(self, frames: int) -> None:
        """Read some frames, if they come."""
        if self.socket is None:
            return
        for _ in range(frames):
            try:
                await self._read(FRAME_SECONDS)
            except Lost:
                return

    async def until(self, kind: str) -> None:
        """Read until an event of this type comes, or does not come for a while."""
        before = len(self.seen.events)
        with suppress(*Lost):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any(event["event"]["type"] == kind for event in self.seen.events[before:]):
                    await self.come_back()
                    await self._read(PATIENCE_SECONDS)

    async def ask(self, kind: str, **values: Any) -> dict[str, Any]:
        """Have something done, over as many connections as it takes. It carries a key, so that it is done once."""
        self.sent += 1
        ref = f"{self.name}-{self.sent}"
        while True:
            try:
                await self.come_back()
                assert self.socket is not None
                await self.socket.send(json.dumps({"kind": kind, "ref": ref, "key": ref, **values}))
                async with asyncio.timeout(ANSWER_SECONDS):
                    while (frame := await self._read(ANSWER_SECONDS)).get("ref") != ref:
                        pass
                return frame
            except Lost:
                await self.leave()

    async def do(self, kind: str, **values: Any) -> None:
        """Ask for something that is no new prompt, and note what the server said it has done."""
        frame = await self.ask(kind, **values)
        if frame["kind"] == "accepted":
            about = {name: values[name] for name in ("prompt", "text") if name in values}
            self.done.append(Done(kind, frame["seq"], self.name, **about))

    async def prompt(self, text: str) -> None:
        """Ask for something, and note what the server promised."""
        frame = await self.ask("prompt", text=text, key=text)
        if frame["kind"] == "accepted":
            self.accepted.append(Accepted(text, frame["seq"], frame["prompt"], self.name))

    async def catch_up(self, seq: int) -> None:
        """Read on until everything up to an event has been seen."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while self.seen.last < seq:
                try:
                    await self.come_back()
                    await self._read(ANSWER_SECONDS)
                except Lost:
                    await self.leave()

    async def _read(self, seconds: float) -> dict[str, Any]:
        assert self.socket is not None
        async with asyncio.timeout(seconds):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        if frame["kind"] == "events":
            self.seen.take(frame["events"])
        return frame


@asynccontextmanager
async def watching(watchers: list[Watcher]) -> AsyncIterator[None]:
    """All of them there from the beginning, none of them at the end."""
    try:
        for watcher in watchers:
            await watcher.attach()
        yield
    finally:
        for watcher in watchers:
            await watcher.leave()
