"""Following a session over interruptions, against a small peer that speaks the feed."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from outrider.cli.client import Client, ServerGone
from outrider.cli.follow import Follower, LeftByPerson, listening_for_ctrl_c
from outrider.cli.progress import Goal, Progress
from outrider.model import events
from outrider.model.errors import NotFound, OutriderError
from outrider.model.feed import EventsFrame, LiveFrame, ServerFrame
from outrider.model.ids import PromptId, SessionId, TurnId
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt

SESSION = SessionId("s-aaaa")
ADA = Person(name="Ada", email="ada@example.org")
Tape = Callable[..., EventsFrame]


class Notes:
    """A view that keeps what it was shown."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.said: list[str] = []

    def frame(self, raw: str, frame: ServerFrame) -> None:
        if isinstance(frame, EventsFrame):
            self.seqs += [recorded.seq for recorded in frame.events]

    def say(self, sentence: str, style: str = "") -> None:
        self.said.append(sentence)

    def result(self, result: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class QuickClock:
    """Time that passes by waiting."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Peer:
    """A server whose connections each send what they were given, and end as told."""

    def __init__(self, *connections: tuple[list[ServerFrame], int]) -> None:
        self.connections = list(connections)
        self.asked: list[str] = []
        self.results: list[tuple[int, dict[str, Any]]] = []

    async def feed(self, socket: ServerConnection) -> None:
        self.asked.append(str(socket.request and socket.request.path))
        frames, code = self.connections.pop(0)
        for frame in frames:
            await socket.send(frame.model_dump_json())
        await socket.close(code)

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0].endswith("/feed") and self.connections:
            return None
        status, body = self.results.pop(0) if self.results else (404, {"sentence": "There is no session s-aaaa."})
        headers = Headers({"content-type": "application/json", "connection": "close"})
        return Response(status, HTTPStatus(status).phrase, headers, json.dumps(body).encode())

    @asynccontextmanager
    async def run(self) -> AsyncIterator[str]:
        server: Server
        async with serve(self.feed, "127.0.0.1", 0, process_request=self.answer) as server:
            yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


def turn(tape: Tape, prompt: str = "p-1") -> list[ServerFrame]:
    number = prompt.removeprefix("p-")
    queued = Prompt(id=PromptId(prompt), author=Author(person=ADA), text="x")
    ended = events.TurnEnded(turn=TurnId(f"t-{number}"), reason=events.TurnEndReason.COMPLETED, message="Done.")
    return [
        tape(events.PromptQueued(prompt=queued)),
        tape(events.TurnStarted(turn=TurnId(f"t-{number}"), prompt=PromptId(prompt))),
        tape(ended),
    ]


async def follow(peer: Peer, goal: Goal = Goal.PROMPT, *, found: bool = True) -> tuple[Notes, Progress]:
    notes, progress = Notes(), Progress(goal)
    async with peer.run() as url, Client(url, {}) as client:
        follower = Follower(client, SESSION, notes, QuickClock(), lambda: url if found else None)
        await follower.until_over(progress)
    return notes, progress


async def test_it_ends_with_the_turn(tape: Tape) -> None:
    notes, progress = await follow(Peer((turn(tape), 1000)))
    assert (notes.seqs, progress.seq, notes.said) == ([1, 2, 3], 3, [])


async def test_a_server_that_went_away_is_waited_for_and_nothing_is_seen_twice(tape: Tape) -> None:
    first, *rest = turn(tape)
    peer = Peer(([first], 1011), ([], 1011), (rest, 1000))
    notes, _ = await follow(peer)
    assert notes.seqs == [1, 2, 3]
    assert [path.rpartition("after=")[2] for path in peer.asked] == ["0", "1", "1"]
    assert notes.said == ["The server went away; waiting for it."]


async def test_who_was_too_slow_attaches_again_without_a_word(tape: Tape) -> None:
    first, *rest = turn(tape)
    notes, _ = await follow(Peer(([first], 4409), (rest, 1000)))
    assert (notes.seqs, notes.said) == ([1, 2, 3], [])


async def test_patience_ends_with_what_to_do() -> None:
    notes = Notes()
    async with Client("http://localhost:1", {}) as client:
        follower = Follower(client, SESSION, notes, QuickClock(), lambda: None)
        with pytest.raises(ServerGone) as caught:
            await follower.until_over(Progress(Goal.PROMPT))
    assert "outrider attach s-aaaa" in caught.value.remedy
    assert len(notes.said) == 1


async def test_an_unknown_session_is_said() -> None:
    with pytest.raises(NotFound, match="There is no session"):
        await follow(Peer())


async def test_the_result_waits_for_the_queue(tape: Tape) -> None:
    both = [*turn(tape), LiveFrame(seq=3)]
    peer = Peer((both, 1000), ([*turn(tape, "p-2"), LiveFrame(seq=6)], 1000))
    peer.results = [(409, {"sentence": "Still at work.", "remedy": ""}), (200, {"ok": True})]
    notes, progress = Notes(), Progress(Goal.PROMPT)
    async with peer.run() as url, Client(url, {}) as client:
        follower = Follower(client, SESSION, notes, QuickClock(), lambda: url)
        await follower.until_over(progress)
        progress.take(tape(events.PromptQueued(prompt=Prompt(id=PromptId("p-2"), author=Author(person=ADA), text="x"))))
        assert await follower.result(progress) == {"ok": True}


async def test_the_first_ctrl_c_stops_and_the_second_leaves() -> None:
    stopped = asyncio.Event()

    async def stop() -> None:
        stopped.set()

    async def press_twice() -> None:
        async with listening_for_ctrl_c(stop):
            os.kill(os.getpid(), signal.SIGINT)
            await stopped.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    with pytest.raises(LeftByPerson):
        await press_twice()


async def test_a_refusal_passes_through_the_listening() -> None:
    with pytest.raises(OutriderError, match="Too late"):
        async with listening_for_ctrl_c(None):
            raise OutriderError("Too late.")
