"""The quarantine: a bare repository for each session, which borrows the mirror's objects and takes the guest's."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from outrider.integrations.builtin.git import Git, GitFailed
from outrider.integrations.builtin.guest_commit import commit_all, list_dirty
from outrider.integrations.builtin.guest_fetch import BASE_REF, HEAD_REF, FetchLimits, fetch_head
from outrider.integrations.builtin.history import is_ancestor, read_commits, read_files
from outrider.model.errors import RepositoryError
from outrider.model.ids import ID_PATTERN, CommitId, SessionId, new_id
from outrider.model.limits import FIXED, limit_reached
from outrider.model.person import Person
from outrider.model.sandbox import WORKSPACE
from outrider.ports.quarantine import Work
from outrider.ports.sandbox import Guest

MAX_PATHS = 200_000
_ID = re.compile(ID_PATTERN)
_HASH_LINE = 41
_MEGABYTE = 1 << 20
_REGULAR_MODES = ("100644", "100755")
_CONFIG = """\
[transfer]
\tfsckObjects = true
[fetch]
\t# always a pack: loose objects would be checked by another, weaker path
\tunpackLimit = 1
[protocol]
\tversion = 0
[gc]
\tauto = 0
"""


class GitQuarantine:
    """Implements `outrider.ports.quarantine.Quarantine` below one folder. `workspace` is where guests have theirs."""

    def __init__(self, folder: Path, *, limits: FetchLimits | None = None, workspace: str = WORKSPACE) -> None:
        self._folder = folder
        self._limits = limits or FetchLimits()
        self._workspace = workspace

    def path(self, session: SessionId) -> Path:
        """The session's bare repository."""
        if not _ID.fullmatch(session):
            raise ValueError(f"{session!r} is no id of a session")
        return self._folder / f"{session}.git"

    async def open(self, session: SessionId, mirror: Path, base: CommitId) -> None:
        """Make it, with the mirror's objects as alternates. No error where it exists. Raises RepositoryError where the
        mirror does not have the base."""
        path = self.path(session)
        try:
            if await asyncio.to_thread(path.is_dir):
                await Git(path).run("cat-file", "-e", f"{base}^{{commit}}")
            else:
                await self._make(path, mirror, base)
        except GitFailed as failed:
            raise RepositoryError(
                f"The repository {mirror.stem} does not have the commit {base[:12]}.",
                "Its branch was deleted or rewritten: start a new session, or push the commit and prompt again.",
            ) from failed

    async def _make(self, path: Path, mirror: Path, base: CommitId) -> None:
        """Make it beside its place, then put it there: cut off half-way, its locks would be in the way for ever."""
        fresh = path.with_name(f"{path.stem}.{new_id('new')}")
        git = Git(fresh)
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
            await Git().run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--", str(fresh))
            await asyncio.to_thread(_borrow, fresh, mirror)
            await git.run("update-ref", BASE_REF, base)
            await asyncio.to_thread(_settle, fresh, path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    async def dirty(self, guest: Guest) -> tuple[str, ...]:
        """Paths in the workspace that are not committed (asked of the guest, so only a hint), 100 at most. Raises
        RepositoryError where it does not say."""
        return await list_dirty(guest, self._workspace)

    async def commit_leftovers(self, guest: Guest, author: Person, message: str) -> bool:
        """Commit in the guest, as its user, hooks off, what is not committed. Whether there was anything."""
        return await commit_all(guest, self._workspace, author, message)

    async def fetch(self, session: SessionId, guest: Guest, base: CommitId) -> Work:
        """Fetch the workspace's HEAD over upload-pack, fsck on, within limits. Raises RepositoryError, LimitReached,
        SandboxLost."""
        git = Git(self.path(session))
        await self._expect_room(session)
        try:
            await fetch_head(self.path(session), guest, self._workspace, self._limits)
            return await self._inspect(git, base)
        except GitFailed as failed:
            raise RepositoryError(f"The commits of the workspace cannot be read: {failed.reason()}.") from failed
        finally:
            await asyncio.to_thread(_delete, self.path(session), "tmp_*")

    async def read_file(self, session: SessionId, commit: CommitId, path: str, *, limit_bytes: int) -> bytes | None:
        """A file of a commit; None where it does not exist or is no regular file. Raises LimitReached."""
        git = Git(self.path(session))
        if path.startswith("/") or ".." in path.split("/"):
            return None
        listed = (await git.whole("--literal-pathspecs", "ls-tree", "-z", "-l", commit, "--", path)).fields()
        if not listed:
            return None
        facts, _, name = listed[0].partition("\t")
        mode, _, blob, size = facts.split()
        if mode not in _REGULAR_MODES or name != path:
            return None
        if int(size) > limit_bytes:
            raise limit_reached(f"{path} is larger than {limit_bytes:,} bytes, the most that is read.", "", FIXED)
        return (await replace(git, output_bytes=limit_bytes).whole("cat-file", "blob", blob)).stdout

    async def list_files(self, session: SessionId, commit: CommitId) -> tuple[str, ...]:
        """All paths of a commit, 200,000 at most. Raises LimitReached."""
        paths = (await Git(self.path(session)).whole("ls-tree", "-r", "-z", "--name-only", commit)).fields()
        if len(paths) > MAX_PATHS:
            raise limit_reached(f"The commit {commit[:12]} has more than {MAX_PATHS:,} files, the most.", "", FIXED)
        return tuple(paths)

    async def changed_paths(self, session: SessionId, base: CommitId, head: CommitId) -> tuple[str, ...]:
        """Paths whose content or mode differs between two commits, both ends of a rename, 200,000 at most. Raises
        LimitReached, RepositoryError."""
        git = Git(self.path(session))
        try:
            listed = await git.whole("diff-tree", "-r", "-z", "--no-renames", "--name-only", base, head)
        except GitFailed as failed:
            raise RepositoryError(f"The commits cannot be compared: {failed.reason()}.") from failed
        paths = listed.fields()
        if len(paths) > MAX_PATHS:
            raise limit_reached(
                f"More than {MAX_PATHS:,} files differ between {base[:12]} and {head[:12]}, the most.", "", FIXED
            )
        return tuple(paths)

    async def _expect_room(self, session: SessionId) -> None:
        stored = await asyncio.to_thread(_size, self.path(session))
        if stored > self._limits.stored_bytes:
            most = self._limits.stored_bytes // _MEGABYTE
            raise limit_reached(
                f"The commits of this session already take {stored // _MEGABYTE} MB; {most} MB are the most.",
                "Go on in a new session.",
                FIXED,
            )

    async def _inspect(self, git: Git, base: CommitId) -> Work:
        """What was fetched, once it is known to be a continuation of base and within the limits."""
        head = CommitId(await git.text("rev-parse", "--verify", f"{HEAD_REF}^{{commit}}"))
        if not await is_ancestor(git, base, head):
            raise RepositoryError(
                f"The work does not continue {base[:12]}, where it began: its history was rewritten or replaced.",
                "Ask the session to put its changes on top of that commit.",
            )
        await self._expect_small_objects(git, base, head)
        return Work(head, await read_commits(git, base, head), await read_files(git, base, head))

    async def _expect_small_objects(self, git: Git, base: CommitId, head: CommitId) -> None:
        bounded = replace(git, output_bytes=_HASH_LINE * self._limits.objects)
        listed = await bounded.run("rev-list", "--objects", "--no-object-names", head, f"^{base}")
        if listed.truncated:
            raise limit_reached(
                f"The work has more than {self._limits.objects:,} objects, the most.",
                "Keep what is generated out of the repository.",
                FIXED,
            )
        sizes = await git.whole("cat-file", "--batch-check=%(objectsize) %(objectname)", stdin=listed.stdout)
        for size, _, name in (line.partition(" ") for line in sizes.text().splitlines()):
            if int(size) > self._limits.object_bytes:
                place = await _place_of(git, base, head, name)
                raise limit_reached(
                    f"{place} is larger than {self._limits.object_bytes // _MEGABYTE} MB, the most.",
                    "Keep large files out of the repository.",
                    FIXED,
                )


async def _place_of(git: Git, base: CommitId, head: CommitId, blob: str) -> str:
    """Where an object stands, for a sentence."""
    for line in (await git.text("rev-list", "--objects", head, f"^{base}")).splitlines():
        name, _, path = line.partition(" ")
        if name == blob:
            return "".join(letter for letter in path if letter.isprintable()) or f"The object {blob[:12]}"
    return f"The object {blob[:12]}"


def _settle(fresh: Path, path: Path) -> None:
    """Put the finished repository in its place; where somebody was faster, theirs is as good."""
    with contextlib.suppress(OSError):
        fresh.rename(path)


def _borrow(path: Path, mirror: Path) -> None:
    with (path / "config").open("a") as config:
        config.write(_CONFIG)
    info = path / "objects" / "info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "alternates").write_text(f"{mirror.resolve() / 'objects'}\n")
    if (mirror / "shallow").is_file():
        shutil.copyfile(mirror / "shallow", path / "shallow")


def _packs(path: Path, pattern: str) -> Iterable[Path]:
    return (path / "objects" / "pack").glob(pattern)


def _size(path: Path) -> int:
    return sum(pack.stat().st_size for pack in _packs(path, "*"))


def _delete(path: Path, pattern: str) -> None:
    """Remove what a fetch that was stopped left behind."""
    for leftover in _packs(path, pattern):
        leftover.unlink(missing_ok=True)
