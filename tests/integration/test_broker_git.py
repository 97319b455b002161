"""git itself through the read-only app. git speaks no Unix sockets, so a loopback port is spliced to one, as the
forwarded port is in a guest."""

import asyncio
import contextlib
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from outrider.broker import git as git_module
from outrider.broker.egress.pump import splice
from outrider.broker.git import GitReadApp
from outrider.broker.http_server import serve_http

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


async def git(*argv: str, cwd: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "git", *argv, cwd=cwd, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def ok(*argv: str, cwd: Path) -> str:
    code, output = await git(*argv, cwd=cwd)
    assert code == 0, output
    return output.strip()


@pytest.fixture
async def bare(tmp_path: Path) -> Path:
    """A bare repository with one commit on main, and the work tree it came from beside it."""
    work = tmp_path / "work"
    work.mkdir()
    await ok("init", "-q", "-b", "main", cwd=work)
    (work / "big").write_bytes(os.urandom(3 << 20))
    await ok("add", ".", cwd=work)
    await ok("commit", "-q", "-m", "one", cwd=work)
    await ok("clone", "-q", "--bare", str(work), str(tmp_path / "bare.git"), cwd=tmp_path)
    return tmp_path / "bare.git"


@asynccontextmanager
async def served(app: GitReadApp, socket: Path) -> AsyncIterator[str]:
    """The app on a Unix socket, and the URL of a loopback port that leads there."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        forwarding.add(task)
        inside = await asyncio.open_unix_connection(socket)
        await splice((reader, writer), inside)
        for end in (writer, inside[1]):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    forwarding: set[asyncio.Task[object]] = set()
    async with serve_http(app, socket):
        server = await asyncio.start_server(forward, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if forwarding:
        await asyncio.wait(forwarding, timeout=10)


@pytest.mark.parametrize("protocol", ["0", "2"])
async def test_clone_and_fetch(bare: Path, short_path: Path, tmp_path: Path, protocol: str) -> None:
    version = ("-c", f"protocol.version={protocol}")
    async with served(GitReadApp(bare), short_path / "g") as url:
        await ok(*version, "clone", "-q", url, "copy", cwd=tmp_path)
        copy = tmp_path / "copy"
        assert (copy / "big").read_bytes() == (tmp_path / "work/big").read_bytes()
        for number in range(40):
            await ok("commit", "-q", "--allow-empty", "-m", str(number), cwd=copy)
        await ok("commit", "-q", "--allow-empty", "-m", "two", cwd=tmp_path / "work")
        await ok("push", "-q", str(bare), "main:topic", cwd=tmp_path / "work")
        await ok(*version, "fetch", "-q", "origin", "topic", cwd=copy)
        assert await ok("log", "-1", "--format=%s", "FETCH_HEAD", cwd=copy) == "two"


async def test_any_commit_may_be_fetched_by_its_id(bare: Path, short_path: Path, tmp_path: Path) -> None:
    first = await ok("rev-parse", "main", cwd=bare)
    async with served(GitReadApp(bare), short_path / "g") as url:
        await ok("init", "-q", "x", cwd=tmp_path)
        await ok("fetch", "-q", "--depth=1", url, first, cwd=tmp_path / "x")
        assert await ok("rev-parse", "FETCH_HEAD", cwd=tmp_path / "x") == first


async def test_push_is_refused_with_a_sentence(bare: Path, short_path: Path, tmp_path: Path) -> None:
    async with served(GitReadApp(bare), short_path / "g") as url:
        code, output = await git("push", url, "main:evil", cwd=tmp_path / "work")
        assert code != 0
        assert "read-only" in output
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{url}/git-receive-pack", content=b"0000")
            assert answer.status_code == 403
    assert await ok("branch", "--list", cwd=bare) == "* main"


@pytest.mark.parametrize(
    "path", ["/HEAD", "/objects/info/packs", "/info/refs", "/info/refs?service=git-upload-archive", "/config"]
)
async def test_nothing_else_is_served(bare: Path, short_path: Path, path: str) -> None:
    async with served(GitReadApp(bare), short_path / "g") as url, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url + path)).status_code == 404


async def test_a_missing_repository_is_an_error_of_ours(short_path: Path) -> None:
    async with (
        served(GitReadApp(short_path / "none.git"), short_path / "g") as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        answer = await client.get(f"{url}/info/refs?service=git-upload-pack")
        assert answer.status_code == 500
        assert str(short_path) not in answer.text


async def test_packed_requests_are_bounded(bare: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_module, "REQUEST_LIMIT", 1 << 20)
    packed = {"content-encoding": "gzip"}
    async with served(GitReadApp(bare), short_path / "g") as url, httpx.AsyncClient(trust_env=False) as client:
        bomb = await client.post(f"{url}/git-upload-pack", content=gzip.compress(bytes(8 << 20)), headers=packed)
        assert (bomb.status_code, "unpacks to more" in bomb.text) == (400, True)
        broken = await client.post(f"{url}/git-upload-pack", content=b"no gzip", headers=packed)
        assert broken.status_code == 400
        large = await client.post(f"{url}/git-upload-pack", content=bytes(2 << 20))
        assert large.status_code == 400


async def test_git_ends_when_the_client_leaves(bare: Path, short_path: Path) -> None:
    """A client that hangs up in the middle of a pack leaves no process, and the next one is served."""
    app = GitReadApp(bare)
    app._turns = asyncio.Semaphore(1)
    head = await ok("rev-parse", "main", cwd=bare)
    want = f"want {head} ofs-delta\n".encode()
    body = b"%04x" % (len(want) + 4) + want + b"00000009done\n"
    async with served(app, short_path / "g"), asyncio.timeout(20):
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(short_path / "g", limit=1024)
            request = b"POST /git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(request + body)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.transport.abort()
        await app._turns.acquire()
