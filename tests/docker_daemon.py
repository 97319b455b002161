"""A Docker daemon for the tests: Debian's, on a socket and in folders of its own, stopped afterwards.

It is started where this is root and `dockerd` is there; with OUTRIDER_TEST_INSTALL=1, as CI has it, Debian's is
installed where it is missing. Elsewhere the tests of it are skipped, with a reason.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 40.0

PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"


class NoDaemonError(Exception):
    """Why there is none, in a sentence."""


def ensure_dockerd() -> str:
    """The daemon's program. Raises NoDaemonError."""
    found = shutil.which("dockerd", path=PROGRAMS)
    if found:
        return found
    if os.environ.get("OUTRIDER_TEST_INSTALL") != "1" or not shutil.which("apt-get"):
        raise NoDaemonError("There is no dockerd here: Debian has it in the package docker.io.")
    argv = ["apt-get", "install", "--yes", "--no-install-recommends", "docker.io"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    found = shutil.which("dockerd", path=PROGRAMS)
    if done.returncode or not found:
        raise NoDaemonError(f"Debian's docker.io could not be installed: {done.stderr.strip()[-200:]}.")
    return found


@contextmanager
def docker_daemon(folder: Path) -> Iterator[Path]:
    """The socket of a running daemon whose data is in `folder`: what is there is used again. Raises NoDaemonError."""
    if os.geteuid() != 0:
        raise NoDaemonError("Only root can start a Docker daemon.")
    program = ensure_dockerd()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "docker.sock"
    path.unlink(missing_ok=True)
    (folder / "pid").unlink(missing_ok=True)
    argv = [
        program, f"--host=unix://{path}", f"--data-root={folder / 'data'}", f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'pid'}", "--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false",
        "--ip-masq=false", "--userland-proxy=false",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={"PATH": PROGRAMS, "HOME": str(folder)},
        )  # fmt: skip
        try:
            _await_socket(daemon, path, folder / "log")
            yield path
        finally:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()


def _await_socket(daemon: "subprocess.Popen[bytes]", path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and daemon.poll() is None:
        with socket.socket(socket.AF_UNIX) as trial:
            try:
                trial.connect(str(path))
                trial.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b"200 OK" in trial.recv(100):
                    return
            except OSError:
                pass
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip().splitlines()
    raise NoDaemonError(f"A Docker daemon does not start here: {said[-1] if said else 'it says nothing'}.")
