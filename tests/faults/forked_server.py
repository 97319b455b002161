"""A server that starts fast: a process that has read all the code already forks, and the fork is the server.

To read the code takes two seconds, and a schedule starts its server up to six times. From there on nothing differs: the
fork is killed as any server is, and what it had opened goes with it.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tests.e2e.deployment import Deployment

READY = b"ready\n"


class Forked:
    """The part of `subprocess.Popen` that a deployment needs, for a process that is not our child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it lives. Nobody but its parent knows the exit code."""
        return 1 if select.select([self._handle], [], [], 0)[0] else None

    def send_signal(self, how: int) -> None:
        """As `kill`."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, how)

    def wait(self, seconds: float) -> int:
        """Raises TimeoutExpired."""
        if not select.select([self._handle], [], [], seconds)[0]:
            raise subprocess.TimeoutExpired("server", seconds)
        os.close(self._handle)
        return 1


@dataclass
class Parent:
    """What forks."""

    process: "subprocess.Popen[bytes]"

    def fork(self, environment: dict[str, str], log: Path) -> Forked:
        """A server with this environment."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"environment": environment, "log": str(log)}).encode() + b"\n")
        self.process.stdin.flush()
        return Forked(int(self.process.stdout.readline()))


@contextmanager
def parent() -> Iterator[Parent]:
    """Have one for as long as the context lives."""
    argv = [sys.executable, "-m", "tests.faults.forked_server"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == READY
        yield Parent(process)
        process.stdin.close()


@dataclass
class ForkedDeployment(Deployment):
    """A deployment whose server is a fork."""

    parent: Parent = field(kw_only=True)

    def _spawn(self, argv: list[str], log: BinaryIO) -> Any:
        return self.parent.fork(self.environment, self.home.log_file)


def serve_forks() -> None:
    """Fork for every line of stdin, and say the pid."""
    from tests.faults import scripted_server  # noqa: PLC0415 - what is read once

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(1, READY)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid:
            os.write(1, f"{pid}\n".encode())
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        become(asked["environment"], asked["log"])
        scripted_server.main()
        return


def become(environment: dict[str, str], log: str) -> None:
    """Have the files and the environment of a process of its own."""
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(environment)
    null, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for target, source in ((0, null), (1, output), (2, output)):
        os.dup2(source, target)


if __name__ == "__main__":
    serve_forks()
