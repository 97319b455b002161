"""Shell commands of a repository, run in a guest's workspace with all that they print heard as it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.sandbox import WORKSPACE
from outrider.model.services import SERVICE_ROLE
from outrider.ports.clock import Clock
from outrider.ports.sandbox import ExecSpec, Guest, Process

DRAIN_SECONDS = 0.3
DRAIN_ROUNDS = 10
"""After a command ended, its output is read on while more comes; what it left running is not waited for for ever."""

Sink = Callable[[bytes], None]
"""Takes what a command prints, stdout and stderr as one, in pieces as they come."""


@dataclass(frozen=True, slots=True)
class ShellEnd:
    """How a command ended. Beyond its time it was killed: `timed_out`, with exit code 137."""

    exit_code: int
    seconds: float
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """A command of a repository. After it, what runs in one of the roles `spare` goes on, as services do."""

    command: str
    env: Mapping[str, str]
    timeout_seconds: float
    spare: tuple[str, ...] = ()


async def run_shell(guest: Guest, shell: Shell, sink: Sink, clock: Clock) -> ShellEnd:
    """Run a shell command in the workspace. Beyond its time it is killed with all that it started. Raises
    SandboxLost."""
    started = clock.monotonic()
    argv = ["sh", "-c", 'exec sh -c "$1" 2>&1', "sh", shell.command]
    process = await guest.start(ExecSpec(argv=argv, cwd=WORKSPACE, env={"CI": "true", **shell.env}))
    await process.close_stdin()
    output = _Output(sink)
    try:
        async with asyncio.timeout(shell.timeout_seconds):
            code, timed_out = await _follow(process, output), False
    except TimeoutError:
        await process.signal("KILL")
        code, timed_out = 128 + 9, True
    seconds = clock.monotonic() - started
    await _kill_leftovers(guest, [SERVICE_ROLE, *shell.spare])
    return ShellEnd(code, seconds, timed_out)


class _Output:
    """Passes output on and counts it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.total = 0

    async def read(self, stream: AsyncIterator[bytes]) -> None:
        async for chunk in stream:
            self.total += len(chunk)
            self._sink(chunk)


async def _kill_leftovers(guest: Guest, spare: Sequence[str]) -> None:
    """Twice where it must be: on a busy machine the first may run out of time. Raises SandboxError."""
    try:
        await guest.kill_everything(spare=spare)
    except SandboxLost:
        raise
    except SandboxError:
        await guest.kill_everything(spare=spare)


async def _follow(process: Process, output: _Output) -> int:
    """Read until the command has ended and its output too, or nothing more comes. Raises SandboxLost."""
    lost: SandboxLost | None = None
    code = 0
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(output.read(process.stdout()), name="shell-output")
        try:
            code = await process.wait()
            await _drain(reader, output)
        except SandboxLost as error:  # outside of the group it would come out wrapped
            lost = error
        finally:
            reader.cancel()
    if lost is not None:
        raise lost
    return code


async def _drain(reader: asyncio.Task[None], output: _Output) -> None:
    for _ in range(DRAIN_ROUNDS):
        seen = output.total
        await asyncio.wait([reader], timeout=DRAIN_SECONDS)
        if reader.done() or output.total == seen:
            return
