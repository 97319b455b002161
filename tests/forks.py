"""Processes that start fast: one that has read all the code already forks, and the fork is the process.

To read the server's code takes two seconds of a processor, and tests start a hundred servers and hundreds of commands.
From there on nothing differs: a fork is killed as any process is, and what it had opened goes with it.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

READ_AT_ONCE = ("outrider.cli.main", "outrider.cli.commands.serve")
LONGEST_REQUEST = 1 << 20


class Forked:
    """The part of `subprocess.Popen` that tests need, for a process that is not our child."""

    def __init__(self, pid: int, handle: int, ended: int) -> None:
        self.pid = pid
        self._ended = ended
        self._handle = handle
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it lives."""
        return self._look(0)

    def send_signal(self, how: int) -> None:
        """As `kill`."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, how)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises TimeoutExpired."""
        code = self._look(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("fork", seconds)
        return code

    def _look(self, seconds: float) -> int | None:
        """It writes its code as its last deed; of one that was killed there is none."""
        if self._code is None and select.select([self._handle], [], [], seconds)[0]:
            self._code = int(os.read(self._ended, 10) or -signal.SIGKILL)
            os.close(self._ended)
            os.close(self._handle)
        return self._code


@dataclass
class Forks:
    """Asks for forks."""

    asking: socket.socket

    def fork(
        self, main: str, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[IO[bytes]]
    ) -> Forked:
        """A process that calls a function, such as `outrider.cli.main:main`, with these arguments of the command line
        and these files as stdin, stdout and stderr."""
        ended, end = os.pipe()
        request = {"main": main, "arguments": list(arguments), "environment": dict(environment)}
        try:
            socket.send_fds(self.asking, [json.dumps(request).encode()], [*(file.fileno() for file in files), end])
        finally:
            os.close(end)
        pid, handles, _, _ = socket.recv_fds(self.asking, 20, 1)
        return Forked(int(pid), handles[0], ended)


@contextmanager
def forks(read_at_once: Sequence[str] = READ_AT_ONCE) -> Iterator[Forks]:
    """Have the process that forks, and has read these modules, for as long as the context lives."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        argv = [sys.executable, "-m", "tests.forks", str(theirs.fileno()), *read_at_once]
        with subprocess.Popen(argv, pass_fds=[theirs.fileno()]):
            theirs.close()
            yield Forks(ours)
            ours.close()


def serve_forks(asked: socket.socket, read_at_once: Sequence[str]) -> None:
    """Fork for every request, and say the pid."""
    for module in read_at_once:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(asked, LONGEST_REQUEST, 4)
        if not message:
            return
        request = json.loads(message)
        module, _, function = request["main"].partition(":")
        main = getattr(import_module(module), function)
        gate, opened = os.pipe()
        pid = os.fork()
        if not pid:
            asked.close()
            os.close(opened)
            os.read(gate, 1)
            os.close(gate)
            become(request, files)
            leave(main, files[3])
        handle = os.pidfd_open(pid)  # a fork that ends at once is gone at once: it waits until somebody holds it
        for file in (gate, opened, *files):
            os.close(file)
        socket.send_fds(asked, [str(pid).encode()], [handle])
        os.close(handle)


def become(request: dict[str, Any], files: list[int]) -> None:
    """Have the files, the arguments and the environment of a process of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]
    for target, source in enumerate(files[:3]):
        os.dup2(source, target)
        os.close(source)


def leave(main: Any, end: int) -> None:
    """Run to the end, and say how it was."""
    code = 1
    try:
        main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(bool(left.code))
    finally:
        if sys.exception():
            traceback.print_exc()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.write(end, str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve_forks(channel, sys.argv[2:])
