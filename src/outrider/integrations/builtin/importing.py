"""Bringing the commits of a source into a bare mirror: all branches and tags, by `git fetch`, and nothing else.

A folder on this machine is read like any other source: through upload-pack, without hard links, committed state only.
"""

import asyncio
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from outrider.integrations.builtin.branches import OURS, UPSTREAM, WORK_PREFIX, Branches, below, read_refs, reconcile
from outrider.integrations.builtin.failures import explain_fetch
from outrider.integrations.builtin.git import CLEAN_ENVIRONMENT, Git, GitFailed, LineListener
from outrider.integrations.builtin.source import LocalSource, RemoteSource
from outrider.integrations.builtin.uncommitted import WorkTree, describe_uncommitted, list_uncommitted
from outrider.model.errors import LimitReached, RepositoryError
from outrider.model.ids import CommitId
from outrider.model.limits import FIXED, raised_by
from outrider.ports.forge import Progress, unheard

IMPORT_SECONDS = 1800
_STEP_PERCENT = 10
TAGS = "refs/tags/"
_PERCENT = re.compile(r"(?:remote: )?([A-Z][A-Za-z ]+):\s+(\d+)%")
_MIRROR_CONFIG = """\
[receive]
\tdenyNonFastForwards = true
\tdenyDeletes = true
\tfsckObjects = true
[transfer]
\thideRefs = refs/outrider
[uploadpack]
\tallowReachableSHA1InWant = true
[gc]
\t# sessions borrow objects from the mirror: none may go
\tauto = 0
"""
_LOCAL_KEYS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_ATTR_NOSYSTEM")


@dataclass(frozen=True, slots=True)
class Importer:
    """Reads sources. `operator_environment` is what git gets for URLs, so that the credential helpers, ssh keys and
    proxies of the person who runs the server work; for folders on this machine it gets none of it."""

    operator_environment: Mapping[str, str]
    seconds: float = IMPORT_SECONDS

    async def fetch(self, mirror: Path, source: LocalSource | RemoteSource, progress: Progress) -> str:
        """Bring a mirror up to date, and say by what branch its source calls its default. Raises RepositoryError."""
        progress(f"Reading {source.address}")
        try:
            with self._environment(source) as environment:
                head = await self._fetch(Git(mirror, environment, self.seconds), source, progress)
        except GitFailed as failed:
            raise explain_fetch(source.address, failed) from failed
        except LimitReached as error:
            raise RepositoryError(
                f"Reading {source.address} took longer than {self.seconds:g} seconds.",
                f"Try again, or clone it first. {raised_by(FIXED)}",
            ) from error
        if progress is not unheard and isinstance(source, LocalSource) and not source.bare and head.commit:
            await _tell_uncommitted(Git(mirror), source, head.commit, progress)
        return head.branch

    async def _fetch(self, git: Git, source: LocalSource | RemoteSource, progress: Progress) -> "_Head":
        seen = await _look(git, source.address)
        known = await read_refs(git, UPSTREAM, OURS, TAGS)
        head, before = seen.head, below(known, UPSTREAM)
        branch = _default_branch(head, known)
        if seen.brings_nothing(known) and branch and await _stands_on(git, branch):
            return replace(head, branch=branch)
        await _take(git, source.address, progress)
        for branch in await reconcile(git, before):
            progress(
                f"{branch} was not brought up to date: it has commits at its source, and merges here. "
                f"Pull it from here into {source.address}, and it will move on."
            )
        return await _settle_head(git, head, source.address)

    @contextmanager
    def _environment(self, source: LocalSource | RemoteSource) -> Iterator[Mapping[str, str]]:
        if isinstance(source, LocalSource):
            with trusting(source.top) as environment:
                yield environment
        else:
            base = {key: value for key, value in CLEAN_ENVIRONMENT.items() if key not in _LOCAL_KEYS}
            never_ask = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false"}
            protocols = {"GIT_ALLOW_PROTOCOL": "http:https:ssh:git", "LC_ALL": "C"}
            yield {**base, **self.operator_environment, **never_ask, **protocols}


async def _take(git: Git, address: str, progress: Progress) -> None:
    refs = (f"+refs/heads/*:{UPSTREAM}*", "refs/tags/*:refs/tags/*")
    options = ("--prune", "--progress", "--no-tags", "--update-shallow", "--no-write-fetch-head")
    try:
        await git.run("fetch", *options, "--", address, *refs, on_line=_percent_listener(progress))
    except GitFailed as failed:
        if "would clobber existing tag" not in failed.said:  # a tag that moved at its source stays what it was
            raise


async def create_mirror(folder: Path) -> None:
    """An empty bare repository of ours: no hooks, no deletes, no rewriting by push, nothing collected."""
    await Git().run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--", str(folder))
    await asyncio.to_thread(_configure, folder)


def _configure(mirror: Path) -> None:
    with (mirror / "config").open("a") as config:
        config.write(_MIRROR_CONFIG)


_QUICK_TRANSFER = "[pack]\n\twindow = 0\n[core]\n\tbigFileThreshold = 1m\n"
"""Between two folders of one machine no search for small differences pays: 1 GB of loose files of 16 MB took ten
minutes with it. What the source has packed already is taken as it is."""


@contextmanager
def trusting(*folders: Path) -> Iterator[Mapping[str, str]]:
    """An environment in which git reads repositories in these folders although somebody else owns them."""
    with tempfile.NamedTemporaryFile("w", prefix="outrider-git-", suffix=".conf") as config:
        config.write(_QUICK_TRANSFER)
        for folder in folders:
            for path in (folder, folder / ".git"):
                config.write(f'[safe]\n\tdirectory = "{_quote(path)}"\n')
        config.flush()
        yield {**CLEAN_ENVIRONMENT, "GIT_CONFIG_GLOBAL": config.name, "GIT_ALLOW_PROTOCOL": "file"}


@dataclass(frozen=True, slots=True)
class _Head:
    """HEAD of a source: its branch (empty where it is on none) and its commit (None where there is none)."""

    branch: str
    commit: CommitId | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a source has."""

    head: _Head
    branches: Branches
    tags: frozenset[str]

    def brings_nothing(self, known: Branches) -> bool:
        """Whether a fetch would change nothing: a tag that moved stays what it was. Where ours differ, there may be
        something to reconcile, or a server was killed before it had."""
        ours = {name: known.get(OURS + name) for name in self.branches if not name.startswith(WORK_PREFIX)}
        theirs = {name: commit for name, commit in self.branches.items() if name in ours}
        same = self.branches == below(known, UPSTREAM) and self.tags == below(known, TAGS).keys()
        return same and ours == theirs


async def _look(git: Git, address: str) -> _Seen:
    branch, refs = "", dict[str, CommitId]()
    listed = await git.text("ls-remote", "--symref", "--", address, "HEAD", f"{OURS}*", f"{TAGS}*")
    for line in listed.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: "):
            branch = value.removeprefix(f"ref: {OURS}") if name == "HEAD" else branch
        elif not name.endswith("^{}"):
            refs[name] = CommitId(value)
    return _Seen(_Head(branch, refs.get("HEAD")), below(refs, OURS), frozenset(below(refs, TAGS)))


def _default_branch(head: _Head, refs: Branches) -> str:
    """The branch of the source's HEAD, else main, master, or the first; empty where there is none."""
    ours = [branch for branch in below(refs, OURS) if not branch.startswith("outrider/")]
    first = ours[0] if ours else ""
    return next((name for name in (head.branch, "main", "master") if name in ours), first)


async def _stands_on(git: Git, branch: str) -> bool:
    """Whether HEAD of the mirror is on this branch."""
    assert git.folder is not None
    return (await asyncio.to_thread((git.folder / "HEAD").read_text)).strip() == f"ref: {OURS}{branch}"


async def _settle_head(git: Git, head: _Head, address: str) -> _Head:
    """HEAD of the mirror goes to the default branch. Raises RepositoryError."""
    branch = _default_branch(head, await read_refs(git, OURS))
    if not branch:
        raise RepositoryError(f"{address} has no commit yet.", "Commit something there first.")
    await git.run("symbolic-ref", "HEAD", OURS + branch)
    return replace(head, branch=branch)


async def _tell_uncommitted(mirror: Git, source: LocalSource, head: CommitId, progress: Progress) -> None:
    try:
        paths = await list_uncommitted(mirror, WorkTree(source.top, _git_folder(source.top)), head)
    except (GitFailed, LimitReached, OSError):
        progress(f"Whether {source.top} has uncommitted changes could not be found out; if so, they are left out.")
        return
    if paths:
        progress(describe_uncommitted(paths))


def _git_folder(top: Path) -> Path:
    """`.git`, or what it points to in a linked work tree."""
    dot_git = top / ".git"
    if dot_git.is_dir():
        return dot_git
    return (top / dot_git.read_text().removeprefix("gitdir:").strip()).resolve()


def _percent_listener(progress: Progress) -> LineListener:
    """Tells each phase of a transfer in steps of ten percent: git itself says each percent, and more."""
    told: tuple[str, int] | None = None

    def on_line(line: str) -> None:
        nonlocal told
        if match := _PERCENT.match(line):
            step = (match[1], int(match[2]) // _STEP_PERCENT * _STEP_PERCENT)
            if step != told:
                told = step
                progress(f"{step[0]}: {step[1]} %")

    return on_line


def _quote(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
