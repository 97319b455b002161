"""A quarantine for tests: one bare repository that the test itself commits to. It trusts what is in it."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from outrider.model.ids import CommitId, SessionId
from outrider.model.limits import FIXED, limit_reached
from outrider.model.person import Person
from outrider.ports.quarantine import Work
from outrider.ports.sandbox import Guest

_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


class GitFolder:
    """Implements of `outrider.ports.quarantine.Quarantine` what reads. Every session is the same repository."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def commit(self, files: Mapping[str, str | None], parent: CommitId | None = None) -> CommitId:
        """A commit with these files changed from the parent's; None deletes one. Makes the repository at first."""
        if not self._folder.exists():
            await self._git("init", "-q", "--bare", str(self._folder), inside=False)
        index = {"GIT_INDEX_FILE": str(self._folder / "index-of-the-test")}
        await self._git("read-tree", parent or "--empty", more=index)
        blobs = {
            content: (await self._git("hash-object", "-w", "--stdin", stdin=content.encode())).strip()
            for content in set(files.values())
            if content is not None
        }
        lines = [
            f"0 {'0' * 40}\t{path}\n" if content is None else f"100644 {blobs[content]}\t{path}\n"
            for path, content in files.items()
        ]
        await self._git("update-index", "--index-info", stdin="".join(lines).encode(), more=index)
        tree = (await self._git("write-tree", more=index)).strip()
        after = ["-p", parent] if parent else []
        commit = (await self._git("commit-tree", tree, "-m", "A change", *after)).strip()
        await self._git("update-ref", f"refs/heads/{commit[:12]}", commit)
        return CommitId(commit)

    def path(self, session: SessionId) -> Path:
        """The repository."""
        del session
        return self._folder

    async def read_file(self, session: SessionId, commit: CommitId, path: str, *, limit_bytes: int) -> bytes | None:
        """A file of a commit; None where it does not exist."""
        if path not in await self.list_files(session, commit):
            return None
        content = (await self._git("cat-file", "blob", f"{commit}:{path}")).encode()
        if len(content) > limit_bytes:
            raise limit_reached(f"{path} is larger than {limit_bytes:,} bytes, the most that is read.", "", FIXED)
        return content

    async def list_files(self, session: SessionId, commit: CommitId) -> tuple[str, ...]:
        """All paths of a commit."""
        del session
        return _paths(await self._git("ls-tree", "-r", "-z", "--name-only", commit))

    async def changed_paths(self, session: SessionId, base: CommitId, head: CommitId) -> tuple[str, ...]:
        """Paths that differ between two commits."""
        del session
        return _paths(await self._git("diff-tree", "-r", "-z", "--no-renames", "--name-only", base, head))

    async def open(self, session: SessionId, mirror: Path, base: CommitId) -> None:
        """Not here."""
        raise NotImplementedError

    async def dirty(self, guest: Guest) -> tuple[str, ...]:
        """Not here."""
        raise NotImplementedError

    async def commit_leftovers(self, guest: Guest, author: Person, message: str) -> bool:
        """Not here."""
        raise NotImplementedError

    async def fetch(self, session: SessionId, guest: Guest, base: CommitId) -> Work:
        """Not here."""
        raise NotImplementedError

    async def _git(
        self, *argv: str, stdin: bytes = b"", more: Mapping[str, str] | None = None, inside: bool = True
    ) -> str:
        where = (f"--git-dir={self._folder}",) if inside else ()
        child = await asyncio.create_subprocess_exec(
            "git", *where, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**_ENVIRONMENT, **(more or {})},
        )  # fmt: skip
        said, complaint = await child.communicate(stdin)
        if child.returncode:
            raise AssertionError(f"git {argv[0]}: {complaint.decode()}")
        return said.decode()


def _paths(listing: str) -> tuple[str, ...]:
    return tuple(path for path in listing.split("\0") if path)
