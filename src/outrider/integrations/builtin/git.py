"""Running git: a child process in a clean environment, with limits on time and output, killed when its caller is.

No configuration of the machine or of a person is read, no hook runs, no transport is allowed, nothing asks at a
terminal, unless the caller says so by `environment`.
"""

import asyncio
import contextlib
import os
import re
import resource
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outrider.model.errors import RepositoryError
from outrider.model.limits import FIXED, limit_reached

CLEAN_ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "",
}

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.bigFileThreshold=32m",  # larger files are streamed and never diffed: memory stays bounded
    f"attr.tree={_EMPTY_TREE}",  # newer releases would read the attributes of HEAD, which a guest may have written
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
)
_KEPT_LINES = 20
_KEPT_LINE_BYTES = 500
_CHUNK = 1 << 16

LineListener = Callable[[str], None]


class GitFailed(RepositoryError):
    """git ended with an exit code that was not expected. `said` is the end of what it printed on stderr."""

    def __init__(self, arguments: Sequence[str], exit_code: int, said: str) -> None:
        self.exit_code = exit_code
        self.said = said
        super().__init__(f"git {' '.join(arguments[:2])} failed: {self.reason()}.")

    def reason(self) -> str:
        """The line that says why, for a sentence."""
        lines = self.said.splitlines() or [f"it ended with {self.exit_code}"]
        reasons = [line for line in lines if line.startswith(("fatal:", "error:"))]
        return re.sub(r"^(fatal|error): ", "", (reasons or lines)[0]).rstrip(".")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What git left. `truncated` means that it was killed at the output limit."""

    exit_code: int
    stdout: bytes
    truncated: bool

    def text(self) -> str:
        """stdout without the last line break; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode(errors="replace").removesuffix("\n")

    def fields(self) -> list[str]:
        """stdout of a command with `-z`, split."""
        return self.stdout.decode(errors="replace").split("\0")[:-1]


@dataclass(frozen=True, slots=True)
class Git:
    """git in one repository. `seconds` and `output_bytes` bound each command, `memory_bytes` what each of its processes
    may allocate (files that it maps do not count)."""

    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: CLEAN_ENVIRONMENT)
    seconds: float = 60
    output_bytes: int = 64 << 20
    memory_bytes: int | None = None
    pass_fds: tuple[int, ...] = ()

    async def run(
        self, *arguments: str, stdin: bytes = b"", ok: Sequence[int] = (0,), on_line: LineListener | None = None
    ) -> Outcome:
        """Run a command. Raises GitFailed for another exit code than `ok`, LimitReached after `seconds`. Output beyond
        the limit is dropped, and the command is killed; that is no error here."""
        process = await self._spawn(arguments, piped=bool(stdin))
        said = _Said(on_line)
        try:
            async with asyncio.timeout(self.seconds), asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read(process, self.output_bytes), name="git stdout")
                tasks.create_task(said.listen(process), name="git stderr")
                tasks.create_task(_feed(process, stdin), name="git stdin")
            exit_code = await process.wait()
        except TimeoutError as error:
            sentence = f"git {arguments[0]} took longer than {self.seconds:g} seconds, the most."
            raise limit_reached(sentence, "Try again.", FIXED) from error
        finally:
            await _end(process)
        stdout, truncated = reading.result()
        if exit_code not in ok and not truncated:
            raise GitFailed(arguments, exit_code, said.text())
        return Outcome(exit_code, stdout, truncated)

    async def whole(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """As `run`, but raises LimitReached where output was dropped."""
        outcome = await self.run(*arguments, stdin=stdin)
        if outcome.truncated:
            raise limit_reached(
                f"git {arguments[0]} answered more than {self.output_bytes:,} bytes, the most.", "", FIXED
            )
        return outcome

    async def text(self, *arguments: str) -> str:
        """stdout of a command, without the last line break."""
        return (await self.whole(*arguments)).text()

    async def says(self, *arguments: str) -> bool:
        """The answer of a command that says yes by 0 and no by 1."""
        return (await self.run(*arguments, ok=(0, 1))).exit_code == 0

    async def _spawn(self, arguments: Sequence[str], *, piped: bool) -> asyncio.subprocess.Process:
        config = [part for setting in _CONFIG for part in ("-c", setting)]
        place = [] if self.folder is None else [f"--git-dir={self.folder}"]
        process = await asyncio.create_subprocess_exec(
            *("git", *config, *place, *arguments),
            stdin=asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self.environment),
            pass_fds=self.pass_fds,
            start_new_session=True,  # one group to kill, and no terminal that ssh could ask at
        )
        if self.memory_bytes is not None:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
        return process


class _Said:
    """The lines of stderr, without control characters, since a guest may have written them. Each is told as it comes,
    the last few are kept. Progress ends its lines with a return."""

    def __init__(self, on_line: LineListener | None) -> None:
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)

    def text(self) -> str:
        return "\n".join(self._lines)

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        rest = b""
        while chunk := await process.stderr.read(_CHUNK):
            *lines, rest = re.split(rb"[\r\n]", rest + chunk)
            rest = rest[:_CHUNK]
            for line in lines:
                self._tell(line)
        self._tell(rest)

    def _tell(self, line: bytes) -> None:
        text = line[:_KEPT_LINE_BYTES].decode(errors="replace")
        text = "".join(letter for letter in text if letter.isprintable()).strip()
        if not text:
            return
        self._lines.append(text)
        if self._on_line is not None:
            self._on_line(text)


async def _read(process: asyncio.subprocess.Process, limit: int) -> tuple[bytes, bool]:
    assert process.stdout is not None
    parts: list[bytes] = []
    size = 0
    while chunk := await process.stdout.read(_CHUNK):
        parts.append(chunk[: limit - size])
        size += len(chunk)
        if size > limit:
            _kill(process)
            return b"".join(parts), True
    return b"".join(parts), False


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended early; its exit code says why
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what still runs, and reap it: also when the caller is cancelled."""
    if process.returncode is None:
        _kill(process)
        await process.wait()
