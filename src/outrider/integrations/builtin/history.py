"""Reading what lies between two commits: commits, files, the diff. Both ends may come from a hostile guest."""

from collections.abc import Mapping
from dataclasses import replace

from outrider.integrations.builtin.git import Git
from outrider.model.errors import RepositoryError
from outrider.model.ids import CommitId
from outrider.model.person import Person
from outrider.model.repository import Commit, FileChange, FileKind

MAX_COMMITS = 500
"""More are not listed: only the newest. They are all there."""
MAX_FILES = 2000
_MAX_SUBJECT = 1000
_MAX_NAME = 200
_MAX_EMAIL = 254
_KINDS: Mapping[str, FileKind] = {"A": "added", "D": "deleted"}


async def read_commits(git: Git, base: CommitId, head: CommitId) -> tuple[Commit, ...]:
    """Commits from base (exclusive) to head, oldest first; the newest 500 where there are more."""
    fields = "--format=tformat:%H%x00%an%x00%ae%x00%s"
    arguments = ("log", "-z", fields, "--topo-order", f"--max-count={MAX_COMMITS}", f"{base}..{head}", "--")
    values = (await git.whole(*arguments)).fields()
    rows = zip(*(iter(values),) * 4, strict=True)
    commits = [
        Commit(sha=CommitId(sha), author=lenient_person(name, email), subject=subject[:_MAX_SUBJECT])
        for sha, name, email, subject in rows
    ]
    return tuple(reversed(commits))


async def read_files(git: Git, base: CommitId, head: CommitId) -> tuple[FileChange, ...]:
    """What changed between two commits, by path; 2,000 files at most. A renamed file is one gone and one new."""
    shown = ("--raw", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
    fields = iter((await git.whole("diff", *shown, base, head, "--")).fields())
    kinds: dict[str, FileKind] = {}
    files: list[FileChange] = []
    for field in fields:
        if field.startswith(":"):  # “:MODE MODE SHA SHA LETTER”, then the path; after all of these come the lines
            kinds[next(fields, "")] = _KINDS.get(field[-1], "changed")
        elif len(files) < MAX_FILES:
            files.append(_parse_numstat(field, kinds))
    return tuple(files)


async def read_diff(git: Git, base: CommitId, head: CommitId, *, limit_bytes: int) -> tuple[str, bool]:
    """The unified diff, cut after a line where it is longer than the limit, and whether it was cut."""
    bounded = replace(git, output_bytes=limit_bytes)
    outcome = await bounded.run("diff", "--find-renames", "--no-ext-diff", "--no-textconv", base, head, "--")
    diff = outcome.stdout
    if outcome.truncated:
        diff = diff[: diff.rfind(b"\n") + 1]
    return diff.decode(errors="replace"), outcome.truncated


async def is_ancestor(git: Git, older: CommitId, newer: CommitId) -> bool:
    """Whether the newer commit contains the older one."""
    return await git.says("merge-base", "--is-ancestor", older, newer)


async def merge_base(git: Git, one: CommitId, other: CommitId) -> CommitId:
    """The newest commit that both contain. Raises RepositoryError where there is none."""
    outcome = await git.run("merge-base", one, other, ok=(0, 1))
    if outcome.exit_code != 0:
        raise RepositoryError(f"{one[:12]} and {other[:12]} have no history in common.")
    return CommitId(outcome.text())


def lenient_person(name: str, email: str) -> Person:
    """An author as git knows him. What no `Person` may hold is left out: an odd author is no reason to lose work."""
    clean_name = "".join(letter for letter in name if letter.isprintable() and letter not in "<>").strip()[:_MAX_NAME]
    clean_email = "".join(letter for letter in email if letter.isprintable() and letter not in "<> ")
    local, _, domain = clean_email.partition("@")
    if not local or not domain or "@" in domain or len(clean_email) > _MAX_EMAIL:
        clean_email = "unknown@invalid"
    return Person(name=clean_name or "unknown", email=clean_email)


def _parse_numstat(line: str, kinds: Mapping[str, FileKind]) -> FileChange:
    try:
        added, deleted, path = line.split("\t", 2)
        return FileChange(path=path, added=_lines(added), deleted=_lines(deleted), kind=kinds.get(path, "changed"))
    except ValueError as error:
        raise RepositoryError(f"The list of changed files cannot be read: {line[:80]!r}.") from error


def _lines(count: str) -> int | None:
    """A dash stands for a binary file."""
    return None if count == "-" else int(count)
