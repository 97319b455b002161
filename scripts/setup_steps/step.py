"""What a step is, and how one is carried out: its line on the screen, its log, its stamp."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".state"
LOG = STATE / "setup.log"
TAIL_LINES = 25


class SetupError(Exception):
    """What stands in the way, with the line to run where there is one."""


class Step(NamedTuple):
    """One thing that a machine may lack. `missing` answers what, or nothing; `do` brings it."""

    title: str
    why: str
    takes: str
    missing: Callable[[], str]
    do: Callable[[], None]


def carry_out(step: Step) -> None:
    """Do the step if something is missing, and say so in one line before and one after."""
    missing = step.missing()
    if not missing:
        return
    print(f"==> {step.title}: {missing}\n    {step.why} {step.takes}", flush=True)
    begin = time.monotonic()
    step.do()
    print(f"    done in {time.monotonic() - begin:.0f} s", flush=True)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a command; its output goes to the log, its last line to the terminal while it runs. Raises SetupError."""
    STATE.mkdir(exist_ok=True)
    whole = {**os.environ, **(env or {})}
    tail: list[str] = []
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        with subprocess.Popen(
            command, cwd=cwd, env=whole, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            for line in process.stdout or ():
                log.write(line)
                tail = [*tail, line.rstrip()][-TAIL_LINES:]
                _show(line)
    _show("")
    if process.returncode:
        told = "\n".join(f"    {line}" for line in tail)
        raise SetupError(f"{told}\n\n`{' '.join(map(str, command))}` failed. All that it printed is in {LOG}.")


def _show(line: str) -> None:
    """The newest line of a running command, in place, where there is a terminal."""
    if sys.stdout.isatty():
        width = os.get_terminal_size().columns - 6
        text = "".join(c for c in line if c.isprintable())[: max(width, 0)]
        print(f"\r\x1b[2K    {text}" if text else "\r\x1b[2K", end="", flush=True)


def digest(paths: Iterable[Path], *more: str) -> str:
    """A hash of the content and names of files."""
    whole = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        whole.update(f"\0{path.relative_to(ROOT)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def stamped(name: str, value: str) -> bool:
    """Whether the stamp of that name holds this value: the work was done for exactly this content."""
    stamp = STATE / "stamps" / name
    return stamp.is_file() and stamp.read_text() == value


def put_stamp(name: str, value: str) -> None:
    """Write down that the work is done for this content."""
    stamp = STATE / "stamps" / name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)
