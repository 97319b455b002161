"""A whole deployment in a folder of its own: the real server as a child process, driven as people drive it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from outrider.app.home import Home, RunningServer
from tests.forks import Forked, Forks

START_SECONDS = 60
TURN_SECONDS = 240
REST_SECONDS = 10
END_SECONDS = 60
OUTRIDER = "outrider.cli.main:main"
KEPT_VARIABLES = ("PATH", "LANG", "HOME", "SSL_CERT_FILE", "PIP_INDEX_URL", "HTTPS_PROXY", "NO_PROXY")


def make_repository(folder: Path, **files: str) -> Path:
    """A git repository with one commit of a file or more."""
    folder.mkdir()
    for name, text in {"README.md": "A plain repository.\n", **files}.items():
        (folder / name).write_text(text)
    identity = ("-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com")
    for command in (("init", "-qb", "main"), ("add", "."), (*identity, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def below(ancestor: int) -> list[tuple[int, str]]:
    """Every process that comes from this one, and its command line. What is orphaned in a sandbox falls to its init."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    table = {int(pid): (int(parent), args) for pid, parent, args in (row.split(None, 2) for row in listed.splitlines())}
    found = {ancestor}
    while more := {pid for pid, (parent, _) in table.items() if parent in found} - found:
        found |= more
    return [(pid, table[pid][1]) for pid in sorted(found - {ancestor})]


@dataclass
class Deployment:
    """One home, and the server that runs in it."""

    home: Home
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """The command that runs the server, such as `unshare`, where it is to run in other circumstances."""
    program: str = OUTRIDER
    """The function that is the server."""
    arguments: tuple[str, ...] = ("up",)
    forks: Forks | None = None
    """What starts everything fast; None: it is started as people start it, as it also is with a prefix."""
    process: "subprocess.Popen[bytes] | Forked | None" = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        own = {
            "OUTRIDER_HOME": str(self.home.path),
            "OUTRIDER_PORT": "0",
            "OUTRIDER_REHEARSAL_TOKENS_PER_SECOND": "0",
            "OUTRIDER_IMAGE_BUILDS": "0",
        }
        return {**kept, **own, **self.variables}

    async def start(self) -> RunningServer:
        """Start the server and wait until it answers."""
        self.home.prepare()
        self.process = await asyncio.to_thread(self._spawn_server)
        async with asyncio.timeout(START_SECONDS):
            while (running := self.home.running()) is None:
                assert self.process.poll() is None, self.log()
                await asyncio.sleep(0.05)
        return running

    def _spawn_server(self) -> "subprocess.Popen[bytes] | Forked":
        with Path(os.devnull).open("rb") as nothing, self.home.log_file.open("ab") as log:
            return self._spawn(self.program, self.arguments, nothing, log, log)

    def _spawn(self, program: str, arguments: Sequence[str], *files: IO[bytes]) -> "subprocess.Popen[bytes] | Forked":
        if self.forks is not None and not self.prefix:
            return self.forks.fork(program, arguments, self.environment, files)
        module, _, main = program.partition(":")
        run = ("-m", "outrider.cli") if program == OUTRIDER else ("-c", f"from {module} import {main}; {main}()")
        argv = [*self.prefix, sys.executable, *run, *arguments]
        given, out, errors = files
        return subprocess.Popen(argv, env=self.environment, stdin=given, stdout=out, stderr=errors)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server as politely as asked."""
        if self.process is not None:
            self.process.send_signal(how)
            await asyncio.to_thread(self.process.wait, END_SECONDS)
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

    async def begin(self, repository: Path, prompt: str, model: str = "rehearsal/demo") -> str:
        """Start a session; gives its id."""
        async with self.client() as client:
            request = {"repository": str(repository), "prompt": prompt, "model": model}
            answer = await client.post("/api/sessions", json=request)
        assert answer.status_code == 201, answer.text + self.log()
        return str(answer.json()["session"])

    async def sessions(self) -> set[str]:
        """The ids of all sessions."""
        async with self.client() as client:
            return {one["id"] for one in (await client.get("/api/sessions")).json()["sessions"]}

    async def repositories(self) -> set[str]:
        """The names of all repositories that were brought in."""
        async with self.client() as client:
            return {one["name"] for one in (await client.get("/api/repositories")).json()["repositories"]}

    def children(self) -> list[str]:
        """The command lines of what the server itself runs now, such as git. Sandboxes, and what works on their layers
        behind everything else, are not among them."""
        listed = subprocess.run(
            ["ps", "-ww", "--ppid", str(self.server.pid), "-o", "args="], capture_output=True, text=True, check=False
        ).stdout
        return [
            line
            for line in listed.splitlines()
            if not line.startswith("[") and "bwrap" not in line and "namespaces.mapped" not in line
        ]

    async def rests(self) -> None:
        """Wait until the server itself runs nothing. What it looks at now and then, such as free space, may be under
        way just now: only what stays is wrong, and it is named."""
        left: list[str] = []
        try:
            async with asyncio.timeout(REST_SECONDS):
                while True:
                    if not (left := self.children()):
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"The server goes on running {left}") from None

    def running(self, sandbox: str, words: str) -> list[int]:
        """The processes in a sandbox whose command line has these words."""
        pids = json.loads((self.home.path / "sandboxes" / "sandboxes" / sandbox / "pids.json").read_text())
        return [process for process, line in below(pids["inner"][0]) if words in line]

    async def until_runs(self, sandbox: str, words: str) -> None:
        """Wait until such a process is there."""
        async with asyncio.timeout(TURN_SECONDS):
            while True:
                if self.running(sandbox, words):
                    return
                await asyncio.sleep(0.05)

    async def run_cli(self, *arguments: str, seconds: float = TURN_SECONDS, stdin: bytes = b"") -> "Finished":
        """Run `outrider …` to its end."""
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as errors:
            given.write(stdin)
            given.seek(0)
            process = await asyncio.to_thread(self._spawn, OUTRIDER, arguments, given, out, errors)
            try:
                code = await asyncio.to_thread(process.wait, seconds)
            finally:
                process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(process.wait, END_SECONDS)
            out.seek(0)
            errors.seek(0)
            return Finished(code, out.read().decode(), errors.read().decode())

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
    def said(self) -> str:
        """All that was printed, whatever the width of the terminal."""
        return " ".join((self.out + self.err).split())

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

    async def live(self) -> None:
        """Read on until everything that is stored has come, and let the next `until` begin there."""
        while not any(frame["kind"] == "live" for frame in self.frames):
            await self.read()
        self.position = len(self.events)

    async def ask(self, prompt: str) -> "Turn":
        """Queue a prompt, and read on to the end of its turn."""
        await self.send("prompt", ref="ask", text=prompt)
        accepted = await self.answer("ask")
        assert accepted["kind"] == "accepted", accepted
        return await self.turn(accepted["prompt"])

    async def turn(self, prompt: str | None = None) -> "Turn":
        """Read on to the end of a turn, the next one where no prompt is named."""
        await self.until("turn_started", **({"prompt": prompt} if prompt else {}))
        begin = self.position
        await self.until("turn_ended")
        progress = [frame["text"] for frame in self.frames if frame["kind"] == "progress"]
        return Turn([recorded["event"] for recorded in self.events[begin : self.position]], progress)

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


@dataclass(frozen=True)
class Turn:
    """What came of a prompt: the events of its turn, and all lines of progress so far."""

    events: list[dict[str, Any]]
    progress: list[str]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def reason(self) -> str:
        return str(self.events[-1]["reason"])

    @property
    def message(self) -> str:
        return str(self.events[-1]["message"])

    @property
    def text(self) -> str:
        """What the agent said."""
        return "".join(event["text"] for event in self.of("text_sealed"))
