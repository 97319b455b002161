"""The quarantine: a bare repository of the session's own, into which the commits of a hostile guest are fetched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Person
from outrider.model.repository import Commit, FileChange
from outrider.ports.sandbox import Guest


@dataclass(frozen=True, slots=True)
class Work:
    """What was fetched and checked."""

    head: CommitId
    commits: tuple[Commit, ...]
    """From base (exclusive) to head, oldest first."""
    files: tuple[FileChange, ...]


class Quarantine(Protocol):
    """Fetches from guests with fsck, limits and no trust. Never runs git inside a guest's work tree."""

    def path(self, session: SessionId) -> Path:
        """The session's bare repository, for serving to clean sandboxes and for pushing from."""

    async def open(self, session: SessionId, mirror: Path, base: CommitId) -> None:
        """Make it, with the mirror's objects as alternates. No error where it exists."""

    async def dirty(self, guest: Guest) -> tuple[str, ...]:
        """Paths in the workspace that are not committed (asked of the guest, so only a hint), 100 at most. Raises
        RepositoryError where it does not say."""

    async def commit_leftovers(self, guest: Guest, author: Person, message: str) -> bool:
        """Commit in the guest, as its user, hooks off, what is not committed. Whether there was anything."""

    async def fetch(self, session: SessionId, guest: Guest, base: CommitId) -> Work:
        """Fetch the workspace's HEAD over upload-pack, fsck on, within limits. Raises RepositoryError."""

    async def read_file(self, session: SessionId, commit: CommitId, path: str, *, limit_bytes: int) -> bytes | None:
        """A file of a commit; None where it does not exist. Raises LimitReached."""

    async def list_files(self, session: SessionId, commit: CommitId) -> tuple[str, ...]:
        """All paths of a commit, 200,000 at most. Raises LimitReached."""

    async def changed_paths(self, session: SessionId, base: CommitId, head: CommitId) -> tuple[str, ...]:
        """Paths whose content or mode differs between two commits, both ends of a rename, 200,000 at most. Raises
        LimitReached."""
