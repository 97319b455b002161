"""A whole deployment in a folder of its own: the real server as a child process, driven as people drive it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import httpx
from websockets.asyncio.client import ClientConnection, connect

from outrider.app.home import Home, RunningServer

START_SECONDS = 60
TURN_SECONDS = 240
KEPT_VARIABLES = ("PATH", "LANG", "HOME", "SSL_CERT_FILE", "PIP_INDEX_URL", "HTTPS_PROXY", "NO_PROXY")


@dataclass
class Deployment:
    """One home, and the server that runs in it."""

    home: Home
    variables: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        own = {"OUTRIDER_HOME": str(self.home.path), "OUTRIDER_PORT": "0", "OUTRIDER_REHEARSAL_TOKENS_PER_SECOND": "0"}
        return {**kept, **own, **self.variables}

    async def start(self) -> RunningServer:
        """Start the server and wait until it answers."""
        self.home.prepare()
        with self.home.log_file.open("ab") as log:
            argv = [sys.executable, "-m", "outrider.cli", "up"]
            self.process = await asyncio.to_thread(self._spawn, argv, log)
        async with asyncio.timeout(START_SECONDS):
            while (running := self.home.running()) is None:
                assert self.process.poll() is None, self.log()
                await asyncio.sleep(0.05)
        return running

    def _spawn(self, argv: list[str], log: BinaryIO) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server as politely as asked."""
        if self.process is not None:
            self.process.send_signal(how)
            await asyncio.to_thread(self.process.wait, 60)
            self.process = None

    def log(self) -> str:
        return self.home.log_file.read_text(errors="replace")[-4000:]

    @property
    def server(self) -> RunningServer:
        running = self.home.running()
        assert running is not None, self.log()
        return running

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client in the owner's name."""
        headers = {"authorization": f"Bearer {self.home.token()}"}
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=60) as client:
            yield client

    async def run_cli(self, *arguments: str, seconds: float = TURN_SECONDS, stdin: bytes = b"") -> "Finished":
        """Run `outrider …` to its end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "outrider.cli", *arguments, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds):
                out, err = await process.communicate(stdin)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return Finished(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def feed(self, session: str, after: int = 0) -> AsyncIterator["Feed"]:
        """A WebSocket client of a session."""
        url = self.server.url.replace("http", "ws", 1) + f"/api/sessions/{session}/feed?after={after}"
        headers = {"authorization": f"Bearer {self.home.token()}"}
        async with connect(url, additional_headers=headers, max_size=None) as socket:
            yield Feed(socket)


@dataclass(frozen=True)
class Finished:
    """What a command of the terminal left."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        return self.lines[-1]["result"]


@dataclass
class Feed:
    """Frames and events as they come."""

    socket: ClientConnection
    events: list[dict[str, Any]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0

    async def until(self, kind: str, seconds: float = TURN_SECONDS, **wanted: Any) -> dict[str, Any]:
        """Go on to the next event of this type with these values; one `until` goes on where the last one ended."""
        async with asyncio.timeout(seconds):
            while True:
                while self.position < len(self.events):
                    event: dict[str, Any] = self.events[self.position]["event"]
                    self.position += 1
                    if event["type"] == kind and all(event.get(name) == value for name, value in wanted.items()):
                        return event
                await self.read()

    async def answer(self, ref: str, seconds: float = 30) -> dict[str, Any]:
        """Read on to the answer to our own command."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.read()
                if frame.get("ref") == ref:
                    return frame

    async def read(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        self.frames.append(frame)
        if frame["kind"] == "events":
            self.events += frame["events"]
        return frame

    async def send(self, kind: str, **values: Any) -> None:
        await self.socket.send(json.dumps({"kind": kind, **values}))

    @property
    def numbers(self) -> list[int]:
        return [recorded["seq"] for recorded in self.events]
