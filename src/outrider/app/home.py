"""The home folder of a deployment: who runs in it, where that server answers, and the owner's token.

A lock says who runs, never a pid file: after a restart of the machine a pid names an innocent process.
"""

import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from outrider.model.errors import OutriderError, Refused

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs in a home now."""

    url: str
    pid: int
    version: str
    detached: bool = False
    """Whether it was started to go on in the background. Others belong to whoever sees them run."""
    models: Mapping[str, str] | None = None
    """A mark of each vendor's key and address (`app/marks.py`). None: an older server, which does not say."""
    settings: str = ""
    """The mark of everything else that it was started with."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one home folder."""

    path: Path

    @property
    def lock_file(self) -> Path:
        """Locked while a server runs; its content is that server's address."""
        return self.path / "server.lock"

    @property
    def token_file(self) -> Path:
        """The owner's token, mode 0600."""
        return self.path / "token"

    @property
    def log_file(self) -> Path:
        """What a detached server prints."""
        return self.path / "server.log"

    @property
    def restoring(self) -> Path:
        """Where a backup is unpacked before it is put in place."""
        return self.path / ".restoring"

    @property
    def unfinished_restore(self) -> Path:
        """Exists from the moment that a backup was checked until all of it is in place."""
        return self.restoring / "checked"

    def prepare(self) -> None:
        """Make the folder, private to its owner. Raises OutriderError where it cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fresh_file().unlink()
        except OSError as error:
            raise OutriderError(
                f"{self.path} cannot be written: {error.strerror}.",
                "Make it writable, or set OUTRIDER_HOME to a folder of yours.",
            ) from error

    def token(self) -> str:
        """The owner's token, made at the first call. Others who ask for it meanwhile read all of it or make none."""
        self.prepare()
        with suppress(FileNotFoundError):
            return self.token_file.read_text().strip()
        fresh = self._fresh_file()
        try:
            fresh.write_text(secrets.token_urlsafe(TOKEN_BYTES))
            with suppress(FileExistsError):
                self.token_file.hardlink_to(fresh)
        finally:
            fresh.unlink()
        return self.token_file.read_text().strip()

    def _fresh_file(self) -> Path:
        """An empty private file that no other process has."""
        handle, name = tempfile.mkstemp(dir=self.path, prefix=".fresh-")
        os.close(handle)
        return Path(name)

    def running(self) -> RunningServer | None:
        """The server that runs in this home and has said where, or None."""
        try:
            with self.lock_file.open() as file:
                if _try_lock(file.fileno(), fcntl.LOCK_SH):
                    return None
                return RunningServer(**json.loads(file.read()))
        except (FileNotFoundError, NotADirectoryError, PermissionError, json.JSONDecodeError, TypeError):
            return None

    @contextmanager
    def claim(self, *, restoring: bool = False) -> Iterator["Claim"]:
        """Be the server of this home, or whoever works on it in place of one. Raises Refused where another is, and
        where a restore was cut off that has to be completed first."""
        self.prepare()
        if self.unfinished_restore.exists() and not restoring:
            raise Refused(f"A restore into {self.path} was cut off.", "Complete it: outrider restore, with the backup.")
        with self.lock_file.open("a+") as file:
            if not _lock_with_patience(file.fileno()):
                running = self.running()
                where = f" at {running.url}" if running else ""
                raise Refused(f"A server already runs in {self.path}{where}.", "Use it, or run `outrider down` first.")
            claim = Claim(file.fileno())
            claim.write("")
            try:
                yield claim
            finally:
                claim.write("")


@dataclass(frozen=True, slots=True)
class Claim:
    """A held lock, in whose file the address is written once the server answers."""

    handle: int

    def announce(self, server: RunningServer) -> None:
        """Say where the server answers."""
        self.write(json.dumps(asdict(server)))

    def write(self, text: str) -> None:
        """Replace the content of the lock's file."""
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, text.encode(), 0)


def _lock_with_patience(handle: int) -> bool:
    """Whoever asks `running` holds the lock for an instant: that is no server."""
    for _ in range(10):
        if _try_lock(handle, fcntl.LOCK_EX):
            return True
        time.sleep(0.02)
    return False


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
