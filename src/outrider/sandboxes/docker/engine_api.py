"""Docker's Engine API over its Unix socket: requests with a plain sentence for what goes wrong, and the hijacked stream
of a command in a container."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError, SandboxLost
from outrider.sandboxes.docker.hijacked import splice

API = "/v1.40"
"""Spoken since Docker 19.03."""

SECONDS = 120.0
"""Longest wait for one answer, or for the next piece of one: a commit of many gigabytes is one answer."""

HEAD_BYTES = 16 << 10

Query = Mapping[str, Any]


class DockerApi:
    """One daemon."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON answer. Raises SandboxError."""
        return await self._request("GET", path, query)

    async def post(self, path: str, query: Query | None = None, body: object | None = None) -> Any:
        """The JSON answer, None where there is none. Raises SandboxError."""
        return await self._request("POST", path, query, json=body)

    async def delete(self, path: str, query: Query | None = None) -> None:
        """Delete; what is not there is deleted. Raises SandboxError."""
        await self._request("DELETE", path, query, missing=True)

    async def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        return await self.find(path) is not None

    async def find(self, path: str) -> Any:
        """The object, or None where there is none."""
        return await self._request("GET", path, None, missing=True)

    async def upload(self, method: str, path: str, query: Query | None, tar: AsyncIterator[bytes]) -> str:
        """Send a tar as it is made, and return what the daemon says. Raises SandboxError."""
        async with self._answer(method, path, query, content=tar, headers={"Content-Type": "application/x-tar"}) as got:
            return (await got.aread()).decode(errors="replace")

    async def download(self, path: str) -> AsyncIterator[bytes]:
        """A large answer in pieces. Raises SandboxError."""
        async with self._answer("GET", path, None) as got:
            async for chunk in got.aiter_raw():
                yield chunk

    async def make_container(self, name: str, body: object) -> None:
        """Make a container. Who is cancelled waits for the daemon's answer: it would make the container all the same,
        after whoever removes it then. Raises SandboxError."""
        await to_its_end(self.post("/containers/create", {"name": name}, body=body))

    @asynccontextmanager
    async def container(self, name: str, body: object) -> AsyncIterator[str]:
        """A container of this name for as long as the context lives. Raises SandboxError."""
        try:
            await self.make_container(name, body)
            yield name
        finally:
            await to_its_end(self.delete(f"/containers/{name}", {"force": True}))

    async def events(self, query: Query) -> list[dict[str, Any]]:
        """What happened in a span of time that is over. Raises SandboxError."""
        async with self._answer("GET", "/events", query) as got:
            return [json.loads(line) async for line in got.aiter_lines() if line]

    async def attach(self, execution: str) -> socket.socket:
        """Start a prepared command and return the stream of its stdin and stdout; its stderr is dropped. Closing the
        stream ends the command's input. Raises SandboxLost."""
        body = b'{"Detach": false, "Tty": false}'
        head = f"POST {API}/exec/{execution}/start HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
        head += f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(body)}\r\n\r\n"
        loop = asyncio.get_running_loop()
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.setblocking(False)
            await loop.sock_connect(stream, str(self.path))
            await loop.sock_sendall(stream, head.encode() + body)
            answer, rest = await _read_head(stream)
            if b" 101 " not in answer and b" 200 " not in answer:
                raise SandboxLost(f"The sandbox cannot be reached: Docker answered {answer[:100].decode('latin-1')!r}.")
            return await splice(stream, rest)
        except OSError as error:
            stream.close()
            raise SandboxLost(f"The sandbox cannot be reached: {error.strerror}.") from error
        except BaseException:
            stream.close()
            raise

    async def _request(
        self, method: str, path: str, query: Query | None, *, json: object | None = None, missing: bool = False
    ) -> Any:
        async with self._answer(method, path, query, missing=missing, json=json) as got:
            if got.status_code == httpx.codes.NOT_FOUND:
                return None
            body = await got.aread()
            return got.json() if body and "json" in got.headers.get("content-type", "") else None

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, query: Query | None, *, missing: bool = False, **request: Any
    ) -> AsyncIterator[httpx.Response]:
        url = f"http://docker{API}{path}" + (f"?{urlencode(_plain(query))}" if query else "")
        transport = httpx.AsyncHTTPTransport(uds=str(self.path), verify=False)
        timeout = httpx.Timeout(SECONDS, connect=5.0)
        try:
            async with (
                httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client,
                client.stream(method, url, **request) as got,
            ):
                if got.is_error and not (missing and got.status_code == httpx.codes.NOT_FOUND):
                    raise _refusal(await got.aread())
                yield got
        except httpx.HTTPError as error:
            raise SandboxError(
                f"Docker does not answer at {self.path}: {str(error) or type(error).__name__}.",
                "Start the daemon: sudo systemctl start docker. To use it you must be root or in the group docker, and "
                "DOCKER_HOST must name a Unix socket where it is set.",
            ) from error


def _plain(query: Query) -> dict[str, str]:
    """Query values as the API reads them: filters are JSON, truth is 1."""
    return {
        name: json.dumps(value) if isinstance(value, Mapping) else str(int(value) if isinstance(value, bool) else value)
        for name, value in query.items()
    }


def _refusal(body: bytes) -> SandboxError:
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        said = body[:300].decode(errors="replace")
    if "no space left on device" in said:
        return SandboxError("The disk is full.", "Free some space where Docker keeps its data.")
    return SandboxError(f"Docker refused: {said.strip().rstrip('.')}.")


async def _read_head(stream: socket.socket) -> tuple[bytes, bytes]:
    """The head of the answer, and what already came after it."""
    loop, data = asyncio.get_running_loop(), b""
    while b"\r\n\r\n" not in data:
        more = await loop.sock_recv(stream, 4096)
        if not more or len(data) > HEAD_BYTES:
            raise SandboxLost("The sandbox cannot be reached: Docker ended the connection.")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest
