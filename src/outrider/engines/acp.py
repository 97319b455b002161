"""The one adapter for engines that speak ACP: starts them in the guest, opens a session, gives prompts, stops."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import acp
import acp.schema as wire

from outrider.cleanup import to_its_end
from outrider.engines.answers import Answers
from outrider.engines.blocks import blocks
from outrider.engines.client import Client
from outrider.engines.profile import Profile, Resume, Start
from outrider.engines.transport import ProcessTransport
from outrider.model.engine import EngineSessionId, EngineStop
from outrider.model.errors import SandboxError, TurnFailed
from outrider.ports.engine import EngineLaunch, EngineListener, Part
from outrider.ports.sandbox import ExecSpec, Guest, Process

OPEN_TIMEOUT_SECONDS = 60.0
"""For each of initialize and the opening of a session. OpenCode needs 3 s for both, 10 s on a busy machine."""

PRIME_TIMEOUT_SECONDS = 60.0
"""For a first answer that no model gives. OpenCode needs 1 to 5 s."""

PRIMER = "Say that you are ready."

CLOSE_TIMEOUT_SECONDS = 2.0
"""How long an engine may take to end by itself before it is killed."""

_STDERR = "stderr.log"

_PUT_ASIDE = """
chmod u+rwx "${1%/*}" "$1"; chmod -R u+rwX "$1.spoiled"; rm -rf "$1.spoiled"
mv "$1" "$1.spoiled" || { chmod -R u+rwX "$1"; rm -rf "$1"; }
"""
"""Only the last one that was spoiled is kept."""


class AcpEngine:
    """An engine that speaks ACP, of one profile."""

    def __init__(self, profile: Profile, *, open_timeout_seconds: float = OPEN_TIMEOUT_SECONDS) -> None:
        self.name = profile.name
        self.asks = profile.asks
        self._profile = profile
        self._timeout = open_timeout_seconds

    async def open(self, guest: Guest, launch: EngineLaunch, listener: EngineListener) -> "AcpSession":
        """Start the engine in the guest and open its session. See `ports.engine.Engine`."""
        start = self._profile.start(launch)
        if launch.fresh_home:
            await guest.run(ExecSpec(argv=("/bin/sh", "-c", _PUT_ASIDE, "sh", start.home), cwd="/"))
        await guest.put(start.home, _tar(start.files))
        process = await guest.start(_exec(start, launch))
        session = AcpSession(self.name, guest, process, listener, f"{start.home}/{_STDERR}")
        try:
            await session.open(launch, start, self._profile.resume, self._timeout)
        except BaseException:
            await to_its_end(session.close())
            raise
        return session

    def saved_output(self, text: str) -> str | None:
        """As the profile reads it. See `ports.engine.Engine`."""
        return self._profile.saved_output(text)


class AcpSession:
    """A running engine with its session open."""

    def __init__(self, name: str, guest: Guest, process: Process, listener: EngineListener, stderr: str) -> None:
        self.id = EngineSessionId("")
        self.resumed = False
        self._process = process
        self._servers: list[Any] = []
        self._workspace = ""
        self._sees = False
        self._client = Client(listener)
        transport = ProcessTransport(process, self._client.notified)
        self._answers = Answers(name, guest, process, transport, stderr)
        # The library's type for a client also has the files and terminals that ours does not offer.
        self._connection = acp.connect_to_agent(cast("acp.Client", self._client), transport)

    async def open(self, launch: EngineLaunch, start: Start, resume: Resume, timeout_seconds: float) -> None:
        """Speak the first words: initialize, then the session."""
        self._workspace = launch.workspace
        self._servers = [
            wire.HttpMcpServer(type="http", name=name, url=url, headers=[]) for name, url in start.mcp_urls.items()
        ]
        greeting = self._connection.initialize(protocol_version=1)
        hello = await self._answers.within(timeout_seconds, "initialize", greeting)
        can = hello.agent_capabilities and hello.agent_capabilities.prompt_capabilities
        self._sees = bool(can and can.image)
        if launch.resume and resume is not Resume.NEVER:
            await self._resume(launch, resume, timeout_seconds)
        if not self.resumed:
            self.id = await self._new_session(timeout_seconds)
        self._client.listening = True

    async def _new_session(self, timeout_seconds: float) -> EngineSessionId:
        opening = self._connection.new_session(cwd=self._workspace, mcp_servers=self._servers)
        return EngineSessionId((await self._answers.within(timeout_seconds, "open a session", opening)).session_id)

    async def _resume(self, launch: EngineLaunch, how: Resume, timeout_seconds: float) -> None:
        """Take up the engine's own session. Where the engine refuses, `resumed` stays False."""
        again = self._connection.resume_session if how is Resume.RESUME else self._connection.load_session
        opening = again(cwd=launch.workspace, session_id=str(launch.resume), mcp_servers=self._servers)
        with suppress(TurnFailed):
            await self._answers.within(timeout_seconds, "take up its session", opening)
            self.id, self.resumed = EngineSessionId(str(launch.resume)), True

    async def prompt(self, parts: Sequence[Part]) -> EngineStop:
        """Give it a prompt and wait for the end of its turn. See `ports.engine.EngineSession`."""
        self._client.cancelled = False
        content: list[Any] = blocks(parts, sees=self._sees)
        try:
            answer = await self._answers.to(self._connection.prompt(session_id=self.id, prompt=content))
        except TurnFailed:
            if not self._client.cancelled:
                raise
            return EngineStop.CANCELLED
        return EngineStop(answer.stop_reason)

    async def prime(self) -> None:
        """Have its process load what a first prompt needs. See `ports.engine.EngineSession`."""
        session = await self._new_session(PRIME_TIMEOUT_SECONDS)
        self._client.thrown_away.add(session)
        words: list[Any] = [wire.TextContentBlock(type="text", text=PRIMER)]
        asked = self._connection.prompt(session_id=session, prompt=words)
        await self._answers.within(PRIME_TIMEOUT_SECONDS, "answer its primer", asked)

    def listen(self, listener: EngineListener) -> None:
        """From now on this one hears it."""
        self._client.listener = listener

    async def cancel(self) -> None:
        """Ask it to stop; what it waits for permission for is answered with cancelled."""
        self._client.cancel()
        with suppress(SandboxError, ConnectionError):
            await self._connection.cancel(session_id=self.id)

    async def ended(self) -> None:
        """Return when its process has ended."""
        with suppress(SandboxError):
            await self._process.wait()

    async def close(self) -> None:
        """End the engine's process. No error where it is dead."""
        with suppress(SandboxError):
            await self._process.close_stdin()
            for name in ("TERM", "KILL"):
                await self._process.signal(name)
                if await self._gone():
                    break
        await self._connection.close()

    async def _gone(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._process.wait()
                return True
        return False


def _exec(start: Start, launch: EngineLaunch) -> ExecSpec:
    """The engine's command. What it says on stderr goes to a file in the guest: nobody need read along."""
    argv = ("/bin/sh", "-c", 'exec "$@" 2>"$0"', f"{start.home}/{_STDERR}", *start.argv)
    return ExecSpec(argv=argv, cwd=launch.workspace, env={**launch.environment, **start.env})


async def _tar(files: Mapping[str, str]) -> AsyncIterator[bytes]:
    """The files as a tar stream."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data := text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(data))
    yield buffer.getvalue()
