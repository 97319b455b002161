"""The files that have changed since the base commit: looked at in the guest while a turn runs, told when they differ.

Git runs in the sandbox, on a copy of the index, so it is in nobody's way: not in the engine's, whose commits need the
index's lock, and not in ours. What it answers is hostile input.
"""

import re
from collections.abc import Awaitable, Callable, Iterator

from outrider.model.changes import FILES_SHOWN, ChangedFile, Changes
from outrider.model.errors import SandboxError
from outrider.model.ids import CommitId, SessionId
from outrider.model.sandbox import WORKSPACE
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.session.actor import Actor
from outrider.session.feed import Hub
from outrider.session.state import State

LOOK_SECONDS = 15.0
LOOK_BYTES = 1 << 20
"""Some 8,000 files. Of more, a part is told, and that there are more."""

_LOOK = """
base=$1
index=$(mktemp) || exit 1
trap 'rm -f "$index"' EXIT
cp "$(git rev-parse --git-path index)" "$index" 2>/dev/null
export GIT_INDEX_FILE="$index" GIT_OPTIONAL_LOCKS=0
git -c core.fsmonitor=false add -N . 2>/dev/null
git -c core.fsmonitor=false diff --raw --numstat -z --no-abbrev --no-renames --no-ext-diff --no-textconv "$base" --
"""
"""Files that git does not know yet are in the copy as if they were to be added, so that their lines count too."""

_RAW = re.compile(r":\d{6} \d{6} [0-9a-f]{40,64} [0-9a-f]{40,64} ([AMDTU])")
_LINES = re.compile(r"(\d{1,9}|-)\t(\d{1,9}|-)\t(.{1,4096})", re.DOTALL)
_KINDS = {"A": "added", "D": "deleted"}


async def look(guest: Guest, actor: Actor) -> None:
    """Tell everybody who watches what has changed, where it differs from what was told last. What cannot be looked at
    now, in a sandbox that goes or a repository that is broken, is looked at the next time."""
    base = actor.state.created.base_commit
    spec = ExecSpec(argv=("sh", "-c", _LOOK, "sh", base), cwd=WORKSPACE)
    try:
        result = await guest.run(spec, timeout_seconds=LOOK_SECONDS, output_limit=LOOK_BYTES)
    except SandboxError:
        return
    if result.exit_code == 0:
        actor.hub.changed(changes(base, result.output.decode(errors="replace"), partial=result.truncated))


def changes(base: CommitId, said: str, *, partial: bool = False) -> Changes:
    """What git's raw and numbered lines say. What does not look like them is left out."""
    kinds: dict[str, str] = {}
    lines: dict[str, tuple[int | None, int | None]] = {}
    for path, kind, counted in _entries(said.split("\0")):
        if kind:
            kinds[path] = kind
        else:
            lines[path] = counted
    counts = [lines.get(path, (None, None)) for path in kinds]
    shown = sorted(kinds)[:FILES_SHOWN]
    return Changes(
        base=base,
        files=tuple(_file(path, kinds[path], *lines.get(path, (None, None))) for path in shown),
        count=len(kinds) + partial,
        added=sum(added or 0 for added, _ in counts),
        deleted=sum(deleted or 0 for _, deleted in counts),
    )


def _entries(tokens: list[str]) -> Iterator[tuple[str, str, tuple[int | None, int | None]]]:
    """Path with its kind, or with its lines."""
    position = 0
    while position < len(tokens):
        token = tokens[position].lstrip("\n")
        position += 1
        if raw := _RAW.fullmatch(token):
            path = tokens[position] if position < len(tokens) else ""
            position += 1
            if 0 < len(path) <= 4096:
                yield path, raw[1], (None, None)
        elif counted := _LINES.fullmatch(token):
            yield counted[3], "", (_number(counted[1]), _number(counted[2]))


def _file(path: str, letter: str, added: int | None, deleted: int | None) -> ChangedFile:
    kind = _KINDS.get(letter, "changed")
    return ChangedFile.model_validate({"path": path, "kind": kind, "added": added, "deleted": deleted})


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


class ChangedFiles:
    """What is known of the files of any session."""

    def __init__(self, hub: Callable[[SessionId], Hub], state: Callable[[SessionId], Awaitable[State]]) -> None:
        self._hub = hub
        self._state = state

    async def of(self, session: SessionId) -> Changes | None:
        """As it was told last, else as its commits say; None where nothing was done yet. Raises NotFound."""
        state = await self._state(session)
        return self._hub(session).changes or of_commits(state)


def of_commits(state: State) -> Changes | None:
    """What was collected, where nobody has looked since the server started: what is committed, and nothing else."""
    work = state.work
    if work is None:
        return None
    files = [ChangedFile(path=f.path[:4096], kind=f.kind, added=f.added, deleted=f.deleted) for f in work.files]
    return Changes(
        base=state.created.base_commit,
        files=tuple(files[:FILES_SHOWN]),
        count=len(files),
        added=sum(file.added or 0 for file in files),
        deleted=sum(file.deleted or 0 for file in files),
    )
