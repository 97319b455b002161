"""A connection that breaks before the answer comes neither loses a prompt nor sends it twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from outrider.testing.session_world import until
from tests.integration.test_cli_people import Deployment, deployment, owned

CHUNK = 1 << 16


@dataclass
class Line:
    """A line to the server that is cut once: the request arrives, and the answer does not. `how_often` counts the
    requests that look like this."""

    port: int
    looks_like: bytes = b"no request"
    how_often: int = 0
    always: bool = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it or it is cut."""
        below, above = await asyncio.open_connection("127.0.0.1", self.port)
        cut = asyncio.Event()

        async def up() -> None:
            while chunk := await reader.read(CHUNK):
                self._look(chunk, cut)
                above.write(chunk)

        async def down() -> None:
            while (chunk := await below.read(CHUNK)) and not cut.is_set():
                writer.write(chunk)

        async with asyncio.TaskGroup() as tasks:
            both = {tasks.create_task(way(), name=f"line {way.__name__}") for way in (up, down)}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            for end in (writer, above):
                end.close()

    def _look(self, chunk: bytes, cut: asyncio.Event) -> None:
        if self.looks_like in chunk.partition(b"\r\n")[0]:
            self.how_often += 1
            if self.how_often == 1 or self.always:
                cut.set()


@asynccontextmanager
async def cut_once(served: Deployment) -> AsyncIterator[tuple[Deployment, Line]]:
    """The deployment by way of such a line."""
    line = Line(urlsplit(served.url).port or 0)
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as server:
        yield replace(served, url=f"http://localhost:{server.sockets[0].getsockname()[1]}"), line


async def test_a_prompt_whose_answer_is_lost_is_in_the_queue_once(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, cut_once(served) as (far, line), owned(far, "Grace") as grace:
        session, registry = str(served.session), served.api.parts.registry
        await until(registry, served.session, lambda state: state.turn is not None)
        line.looks_like = b"POST /api/sessions/" + session.encode() + b"/prompts "
        told = await grace.does("queue", session, "add", "mend it")
        assert line.how_often == 2
        assert [prompt.id for prompt in (await registry.state(served.session)).queue] == [told.strip()]
        line.always = True
        lost = await grace("queue", session, "add", "mend it")
        assert (lost.code, "does not answer" in lost.err, line.how_often) == (1, True, 4), "it is tried again once"


async def test_a_child_is_started_and_sent_more_once(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, cut_once(served) as (far, line), owned(far, "Grace") as grace:
        session, registry = str(served.session), served.api.parts.registry
        await until(registry, served.session, lambda state: state.turn is not None)
        line.looks_like = b"/children "
        child = (await grace.does("spawn", session, "hang")).split()[0]
        assert line.how_often == 2
        line.looks_like, line.how_often = b"/prompts ", 0
        await grace.does("children", session, "send", child, "more")
        assert line.how_often == 2
        (known,) = (await registry.state(served.session)).children.values()
        assert (known.id, [prompt.text for prompt in known.prompts]) == (child, ["hang", "more"])


async def test_a_session_is_started_once(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, cut_once(served) as (far, line), owned(far, "Grace") as grace:
        line.looks_like = b"POST /api/sessions "
        ran = await grace.process("run", "talk", "--repo", str(served.world.source.folder))
        assert (ran.code, "All is well." in ran.out, line.how_often) == (0, True, 2), ran.out + ran.err
        found = await served.world.index.list(limit=9)
        assert len(found) == 2, "the one that was there, and this one"


async def test_what_has_no_key_is_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with deployment(tmp_path, "hang") as served, cut_once(served) as (far, line), owned(far, "Grace") as grace:
        session = str(served.session)
        await until(served.api.parts.registry, served.session, lambda state: state.turn is not None)
        line.looks_like = b"/stop "
        lost = await grace("stop", session)
        assert (lost.code, line.how_often) == (1, 1)
