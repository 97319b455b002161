"""Read-only git over HTTP for one bare repository: what `git clone` and `git fetch` need, and nothing that writes.

The app is a plain ASGI app, so it serves a guest through its door and people through the API alike.
"""

import asyncio
import os
import re
import signal
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from outrider.broker.asgi import ClientGone, path_below, read_body, say, until_client_leaves
from outrider.model.errors import BadRequest, LimitReached
from outrider.model.limits import FIXED, limit_reached

REQUEST_LIMIT = 16 << 20
"""Bytes of a request, before and after unpacking: the wants and haves of a fetch, 50 bytes each."""
RUN_SECONDS = 900.0
"""The longest clone or fetch."""
AT_ONCE = 8
"""Fetches of one app at a time; more wait."""

_CHUNK = 64 << 10
_NO_PUSH = "This repository is read-only here. Outrider pushes commits itself: commit them and they are picked up."
_PROTOCOL = re.compile(r"version=[012]")
_NO_CACHE = (b"cache-control", b"no-cache, max-age=0, must-revalidate")
_OPTIONS = ("-c", "uploadpack.allowAnySHA1InWant=true", "-c", "core.hooksPath=/dev/null")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitReadApp:
    """`GET /info/refs?service=git-upload-pack` and `POST /git-upload-pack` of git's smart protocol, versions 0 to 2."""

    def __init__(self, repository: Path, git: str = "git") -> None:
        self._argv = (
            git,
            "-c",
            f"safe.directory={repository}",
            *_OPTIONS,
            "upload-pack",
            "--strict",
            "--stateless-rpc",
        )
        self._repository = str(repository)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._route(scope, receive, send)
        except (LimitReached, BadRequest) as error:
            await say(str(error), 400, scope, receive, send)
        except ClientGone:
            return

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = (scope["method"], path_below(scope), _service(scope))
        if "git-receive-pack" in request[1] or request[2] == "git-receive-pack":
            await say(_NO_PUSH, 403, scope, receive, send)
        elif request == ("GET", "/info/refs", "git-upload-pack"):
            await self._advertise(scope, receive, send)
        elif request[:2] == ("POST", "/git-upload-pack"):
            await self._upload(scope, receive, send)
        else:
            await say("There is only git's smart protocol here: clone and fetch.", 404, scope, receive, send)

    async def _advertise(self, scope: Scope, receive: Receive, send: Send) -> None:
        protocol = _header(scope, b"git-protocol")
        preface = b"" if protocol == "version=2" else b"001e# service=git-upload-pack\n0000"
        answer = _Answer(b"application/x-git-upload-pack-advertisement", preface)
        await read_body(receive, 0)
        await until_client_leaves(receive, self._run(scope, b"", answer, send, "--advertise-refs"))

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _unpacked(await read_body(receive, REQUEST_LIMIT), _header(scope, b"content-encoding"))
        answer = _Answer(b"application/x-git-upload-pack-result")
        await until_client_leaves(receive, self._run(scope, body, answer, send))

    async def _run(self, scope: Scope, body: bytes, answer: "_Answer", send: Send, *options: str) -> None:
        async with self._running(scope, *options) as process, asyncio.TaskGroup() as tasks:
            tasks.create_task(_feed(process, body), name="git request")
            await _relay(process, answer, send)

    @asynccontextmanager
    async def _running(self, scope: Scope, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """upload-pack as long as the context lives, with all that it starts."""
        protocol = _header(scope, b"git-protocol")
        version = {"GIT_PROTOCOL": protocol} if _PROTOCOL.fullmatch(protocol) else {}
        async with self._turns, asyncio.timeout(RUN_SECONDS):
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                *options,
                self._repository,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_ENVIRONMENT | version,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                await _end(process)


@dataclass(frozen=True, slots=True)
class _Answer:
    content_type: bytes
    preface: bytes = b""


async def _feed(process: asyncio.subprocess.Process, body: bytes) -> None:
    assert process.stdin is not None
    try:
        for start in range(0, len(body), _CHUNK):
            process.stdin.write(body[start : start + _CHUNK])
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # git had enough; what it says about that is on its stdout
    finally:
        process.stdin.close()


async def _relay(process: asyncio.subprocess.Process, answer: _Answer, send: Send) -> None:
    """What git says, as it comes. Nothing at all from git is a failure of ours."""
    assert process.stdout is not None
    chunk = await process.stdout.read(_CHUNK)
    if not chunk:
        text = b"The repository cannot be read.\n"
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": text})
        return
    headers = [(b"content-type", answer.content_type), _NO_CACHE]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    chunk = answer.preface + chunk
    while chunk:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        chunk = await process.stdout.read(_CHUNK)
    await send({"type": "http.response.body", "body": b""})


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the process group; git starts others to pack."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body without gzip, which git uses for larger requests."""
    if encoding not in ("gzip", "x-gzip"):
        return body
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unzip.decompress(body, REQUEST_LIMIT)
    except zlib.error as error:
        raise BadRequest("The request says gzip and is not.") from error
    if unzip.unconsumed_tail:
        raise limit_reached(f"The request unpacks to more than {REQUEST_LIMIT >> 20} MB, which is the most.", "", FIXED)
    return plain


def _header(scope: Scope, wanted: bytes) -> str:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


def _service(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query[:1000].decode("latin-1")).get("service", [""])[0]
