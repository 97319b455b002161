"""The list of sessions over real WebSockets: what one does arrives at the others who may see it, and only there."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from outrider.app.server import ReadyServer
from outrider.model.commands import Archive
from outrider.model.ids import SessionId
from outrider.model.membership import House
from outrider.model.person import Person
from outrider.testing.api_world import OWNER, ApiWorld, api_world
from outrider.testing.fake_engine import FakeEngine, say, wait_for
from outrider.testing.playbook import ADA, BOB
from outrider.testing.session_world import SessionWorld

CLEO = Person(name="Cleo", email="cleo@example.org")

Row = dict[str, Any]


class Watched:
    """A list that a person looks at: every row that came, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.rows: list[Row] = []

    async def next(self) -> Mapping[str, Any]:
        """The next frame; its rows are kept."""
        frame: dict[str, Any] = json.loads(await self._socket.recv())
        self.rows += frame.get("sessions", ())
        return frame

    async def until(self, session: str, is_so: Callable[[Row], bool]) -> Row:
        """Wait for a row of the session that is as it should be; returns it."""
        while not (found := [row for row in self.rows if row["id"] == session and is_so(row)]):
            await self.next()
        return found[-1]


class Somebody:
    """A person with a browser: a login, its requests, and the list."""

    def __init__(self, cookie: str, port: int) -> None:
        self._headers = {"cookie": f"outrider_login={cookie}"}
        self._port = port
        self._http = httpx.AsyncClient(base_url=f"http://localhost:{port}", headers=self._headers)

    async def does(self, method: str, path: str, body: Any = None) -> Any:
        """A request that must be carried out."""
        answer = await self._http.request(method, f"/api/sessions{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def begins(self, prompt: str) -> str:
        """Start a session."""
        return str((await self.does("POST", "", {"repository": "demo", "prompt": prompt}))["session"])

    async def sees(self) -> dict[str, Row]:
        """The list as it is read once."""
        return {row["id"]: row for row in (await self.does("GET", ""))["sessions"]}

    @asynccontextmanager
    async def looks(self) -> AsyncIterator[Watched]:
        """The list, live."""
        url, origin = f"ws://localhost:{self._port}/api/feed", f"http://localhost:{self._port}"
        async with connect(url, additional_headers=self._headers, origin=origin) as socket:  # type: ignore[arg-type]
            watched = Watched(socket)
            assert await watched.next() == {"kind": "live", "seq": 0}
            yield watched

    async def leaves(self) -> None:
        """Close the browser."""
        await self._http.aclose()


class Town:
    """The application on a port of its own."""

    def __init__(self, api: ApiWorld, port: int) -> None:
        self.api = api
        self.port = port

    @asynccontextmanager
    async def people(self, *persons: Person) -> AsyncIterator[list[Somebody]]:
        """Each with a login of their own."""
        async with AsyncExitStack() as stack:
            there = [Somebody(await self.api.log_in(person), self.port) for person in persons]
            for somebody in there:
                stack.push_async_callback(somebody.leaves)
            yield there


@pytest.fixture
def gate() -> asyncio.Event:
    """Set where turns may end."""
    return asyncio.Event()


@pytest.fixture
async def town(tmp_path: Path, gate: asyncio.Event) -> AsyncIterator[Town]:
    world = SessionWorld(tmp_path, FakeEngine({"": [wait_for(gate), say("Done.")]}))
    world.house = House(owner=OWNER.email, others=None)
    await world.begin()
    async with api_world(world) as api, asyncio.TaskGroup() as tasks:
        config = uvicorn.Config(api.app, port=0, ws="websockets-sansio", lifespan="off", log_config=None)
        server = ReadyServer(config)
        tasks.create_task(server.serve(), name="server")
        await server.ready.wait()
        yield Town(api, server.servers[0].sockets[0].getsockname()[1])
        gate.set()
        server.should_exit = True


async def test_what_others_do_arrives_at_who_may_see_it_and_nowhere_else(town: Town, gate: asyncio.Event) -> None:
    async with (
        asyncio.timeout(60),
        town.people(ADA, BOB, CLEO) as (ada, bob, cleo),
        ada.looks() as hers,
        bob.looks() as his,
        cleo.looks() as cleos,
    ):
        session = await ada.begins("mend it")
        await hers.until(session, lambda row: row["status"] == "running")
        await ada.does("PUT", f"/{session}/members/{BOB.email}", {"role": "prompter"})
        assert (await his.until(session, lambda row: True))["title"] == "mend it"

        await bob.does("POST", f"/{session}/rename", {"title": "Cents"})
        await ada.does("POST", f"/{session}/pin")
        for watched in (hers, his):
            await watched.until(session, lambda row: row["title"] == "Cents" and row["pinned"])
        gate.set()
        for watched in (hers, his):
            await watched.until(session, lambda row: row["status"] == "idle")
        await town.api.parts.registry.ask(SessionId(session), Archive(ADA))
        for watched in (hers, his):
            await watched.until(session, lambda row: row["status"] == "archived")

        other = await ada.begins("for Cleo too")
        await ada.does("PUT", f"/{other}/members/{CLEO.email}", {"role": "viewer"})
        await cleos.until(other, lambda row: True)
        assert {row["id"] for row in cleos.rows} == {other}, "of the first one nothing came, though it changed so often"


async def test_who_is_sent_away_is_told_no_more(town: Town) -> None:
    async with asyncio.timeout(60), town.people(ADA, BOB) as (ada, bob), bob.looks() as his:
        session = await ada.begins("mend it")
        await ada.does("PUT", f"/{session}/members/{BOB.email}", {"role": "prompter"})
        await his.until(session, lambda row: True)
        await ada.does("DELETE", f"/{session}/members/{BOB.email}")
        told = len(his.rows)
        await ada.does("POST", f"/{session}/rename", {"title": "A secret"})
        own = await bob.begins("his own")
        await his.until(own, lambda row: True)
        assert {row["id"] for row in his.rows[told:]} == {own}
        assert set(await bob.sees()) == {own}


async def test_a_list_that_is_read_after_live_and_what_follows_miss_nothing(town: Town) -> None:
    async with asyncio.timeout(60), town.people(ADA) as [ada], ada.looks() as first:
        before = await ada.begins("before")
        await first.until(before, lambda row: row["status"] == "running")
        async with ada.looks() as later, asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(ada.sees())
            renames = [tasks.create_task(ada.does("POST", f"/{before}/rename", {"title": f"{n}"})) for n in range(5)]
            await asyncio.wait([reading, *renames])
            newest = (await ada.sees())[before]
            known = reading.result()[before]
            while known["seq"] < newest["seq"]:
                await later.next()
                known = max([known, *later.rows], key=lambda row: row["seq"])
            assert known == newest


async def test_a_stranger_is_given_no_list(town: Town) -> None:
    stranger = Somebody("nobody", town.port)
    with pytest.raises(InvalidStatus) as refused:
        async with stranger.looks():
            pass
    assert refused.value.response.status_code == 401
    await stranger.leaves()
