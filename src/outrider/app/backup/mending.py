"""What in an unpacked backup has to fit its new place, and itself: logs are read before the repositories that they
speak of, which may have gone on meanwhile."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from outrider.integrations.builtin.git import CLEAN_ENVIRONMENT
from outrider.model.errors import BadRequest

GIT_SECONDS = 600


def mend_alternates(stage: Path, home: Path) -> None:
    """A quarantine borrows objects from the forge, by a path that began with the old home."""
    for note in (stage / "quarantine").glob("*.git/objects/info/alternates"):
        borrowed = [Path(line).parts[-2] for line in note.read_text().splitlines() if line]
        note.write_text("".join(f"{home / 'forge' / name / 'objects'}\n" for name in borrowed))


def mend_branches(stage: Path) -> None:
    """Each session's own branches end where its log says: what was pushed after the log was read belongs to turns that
    are not in the backup, and would be in the way of all that the session pushes from now on. Raises BadRequest."""
    for log in sorted((stage / "sessions").glob("*/log.sqlite")):
        session = log.parent.name
        try:
            repository, pushed = _pushed(log)
        except (sqlite3.Error, ValueError, KeyError, TypeError):
            continue  # damaged before it was backed up
        folder = stage / "forge" / f"{repository}.git"
        if folder.is_dir():
            _set_branches(folder, f"refs/heads/outrider/{session}/", pushed)


def _pushed(log: Path) -> tuple[str, dict[str, str]]:
    """The session's repository, and where its branches ended."""
    with closing(sqlite3.connect(log)) as db:
        created = json.loads(db.execute("SELECT body FROM event WHERE seq = 1").fetchone()[0])["event"]
        rows = db.execute("SELECT body FROM event WHERE type = 'branch_pushed' ORDER BY seq").fetchall()
    events = [json.loads(row[0])["event"] for row in rows]
    return created["repository"]["name"], {f"refs/heads/{event['branch']}": event["head"] for event in events}


def _set_branches(folder: Path, prefix: str, pushed: dict[str, str]) -> None:
    listed = _git(folder, ["for-each-ref", "--format=%(refname) %(objectname)", prefix])
    lines = []
    for ref, head in (line.split() for line in listed.splitlines()):
        if ref not in pushed:
            lines.append(f"delete {ref}\n")
        elif pushed[ref] != head:
            lines.append(f"update {ref} {pushed[ref]}\n")
    if lines:
        _git(folder, ["update-ref", "--stdin"], "".join(lines))


def _git(folder: Path, arguments: list[str], stdin: str = "") -> str:
    argv = ["git", f"--git-dir={folder}", *arguments]
    done = subprocess.run(
        argv, input=stdin, env=dict(CLEAN_ENVIRONMENT), capture_output=True, text=True, timeout=GIT_SECONDS, check=False
    )
    if done.returncode:
        raise BadRequest(f"The repository {folder.stem} in the backup cannot be read: {done.stderr.strip()[:300]}.")
    return done.stdout
