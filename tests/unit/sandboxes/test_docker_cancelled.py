"""A daemon makes the container that it was asked for, also where whoever asked has left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from outrider.sandboxes.docker.engine_api import DockerApi


class Daemon:
    """Makes containers when the test lets it, and removes them."""

    def __init__(self) -> None:
        self.containers: set[str] = set()
        self.asked = asyncio.Event()
        self.made = asyncio.Event()
        self.go = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        url = urlsplit(target)
        if url.path.endswith("/containers/create"):
            self.asked.set()
            await self.go.wait()
            self.containers.add(parse_qs(url.query)["name"][0])
            self.made.set()
        elif method == "DELETE":
            self.containers.discard(url.path.rpartition("/")[2])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")
        writer.close()

    @asynccontextmanager
    async def serve(self, path: Path) -> AsyncIterator[DockerApi]:
        async with await asyncio.start_unix_server(self.answer, path):
            yield DockerApi(path)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_container_whose_making_was_cancelled_is_removed(tmp_path: Path, times: int) -> None:
    daemon = Daemon()

    async def use(api: DockerApi) -> None:
        async with api.container("helper", {"Image": "any"}):
            raise AssertionError

    async with daemon.serve(tmp_path / "docker.sock") as api, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(use(api))
        await daemon.asked.wait()
        for _ in range(times):
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
        daemon.go.set()
        await daemon.made.wait()
        await asyncio.wait({task})
        assert task.cancelled()
        assert daemon.containers == set()


async def test_a_container_is_removed_after_its_use(tmp_path: Path) -> None:
    daemon = Daemon()
    daemon.go.set()
    async with daemon.serve(tmp_path / "docker.sock") as api, api.container("helper", {"Image": "any"}) as name:
        assert daemon.containers == {name}
        with pytest.raises(RuntimeError):
            async with api.container("other", {"Image": "any"}):
                raise RuntimeError
        assert daemon.containers == {name}
