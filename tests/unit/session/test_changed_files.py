"""The files that have changed: read from git as hostile input, looked at seldom, told where they differ."""

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from outrider.model.changes import FILES_SHOWN, ChangedFile, Changes
from outrider.model.events import Recorded, SessionRewound, WorkCollected
from outrider.model.ids import CommitId, TurnId
from outrider.model.membership import House
from outrider.model.repository import FileChange, FileKind
from outrider.model.rows import rows
from outrider.session import changes
from outrider.session.feed import Hub, Mailbox
from outrider.session.fold import begin
from outrider.session.rounds import PAUSE_SECONDS, SHARE, Rounds
from outrider.testing.git_source import GitSource
from outrider.testing.manual_clock import START, ManualClock
from outrider.testing.playbook import ADA, BASE, SESSION, session_created

SHA = "a" * 40


def raw(letter: str, path: str) -> str:
    return f":100644 100644 {SHA} {SHA} {letter}\0{path}\0"


def looked(source: GitSource, base: CommitId) -> Changes:
    """What git really says, as the guest would be asked."""
    argv = ["sh", "-c", changes._LOOK, "sh", base]
    done = subprocess.run(argv, cwd=source.folder, capture_output=True, text=True, check=True)
    return changes.changes(base, done.stdout)


def test_kinds_and_lines_are_put_together():
    said = raw("M", "a.py") + raw("A", "new file") + raw("D", "old") + raw("M", "image.png")
    said += "3\t1\ta.py\0" + "2\t0\tnew file\0" + "0\t7\told\0" + "-\t-\timage.png\0"
    found = changes.changes(BASE, said)
    assert [(file.kind, file.path, file.added, file.deleted) for file in found.files] == [
        ("changed", "a.py", 3, 1),
        ("changed", "image.png", None, None),
        ("added", "new file", 2, 0),
        ("deleted", "old", 0, 7),
    ]
    assert (found.count, found.added, found.deleted) == (4, 5, 8)


def test_a_thousand_files_are_counted_and_some_are_shown():
    found = changes.changes(BASE, "".join(raw("A", f"f{number:04}") for number in range(1000)))
    assert (len(found.files), found.count) == (FILES_SHOWN, 1000)


@given(st.text(alphabet=st.sampled_from(":\0\t\n 0123456789abcAMD-"), max_size=400), st.booleans())
def test_whatever_a_guest_says_is_taken_for_no_more_than_it_is(said: str, partial: bool):
    found = changes.changes(BASE, said, partial=partial)
    assert found.count >= len(found.files)


def test_committed_uncommitted_unknown_and_deleted_files_are_seen(tmp_path: Path):
    source = GitSource.create(tmp_path / "work", {"kept": "1\n", "gone": "1\n2\n", "edited": "1\n"})
    base = source.head()
    (source.folder / ".gitignore").write_text("ignored\n")
    source.commit("Add a file", {"committed": "1\n2\n"})
    (source.folder / "ignored").write_text("no\n")
    (source.folder / "unknown").write_text("1\n2\n3\n")
    (source.folder / "edited").write_text("2\n")
    (source.folder / "gone").unlink()
    found = looked(source, base)
    told = {file.path: (file.kind, file.added, file.deleted) for file in found.files}
    assert told == {
        ".gitignore": ("added", 1, 0),
        "committed": ("added", 2, 0),
        "edited": ("changed", 1, 1),
        "gone": ("deleted", 0, 2),
        "unknown": ("added", 3, 0),
    }
    assert "unknown" in source.git("status", "--porcelain"), "the real index knows nothing of it"


def test_what_did_not_change_is_told_once():
    hub = Hub(0.0)
    mailbox = hub.attach([], 0)
    one = Changes(base=BASE, files=(ChangedFile(path="a", kind="added"),), count=1, added=0, deleted=0)
    hub.changed(one)
    hub.changed(one.model_copy())
    hub.close()
    assert kinds(mailbox) == ["drafts", "changes", "live", "changes"]
    assert kinds(hub.attach([], 0)) == ["drafts", "changes", "live"]


def told(mailbox: Mailbox) -> object:
    """What it says of the files, as far as it goes."""
    frames = [json.loads(frame) for _, frame in mailbox._frames]
    return [frame for frame in frames if frame["kind"] == "changes"][-1]["changes"]


def test_who_was_away_while_a_session_was_rewound_is_told_that_nothing_is_known():
    hub = Hub(0.0)
    assert told(hub.attach([], 0)) is None
    hub.changed(Changes(base=BASE, files=(ChangedFile(path="a", kind="added"),), count=1, added=0, deleted=0))
    assert told(hub.attach([], 0)) is not None
    rewound = SessionRewound(turn=TurnId("t-000000000001"), number=1, by=ADA, branch="outrider/s/work")
    hub.publish([rewound], rows(1, START, [rewound]))
    assert told(hub.attach([], 1)) is None


def test_where_nobody_has_looked_files_are_what_their_commits_made_of_them():
    kinds: tuple[FileKind, ...] = ("added", "changed", "deleted")
    files = tuple(FileChange(path=kind, added=1, deleted=2, kind=kind) for kind in kinds)
    collected = WorkCollected(head=CommitId("c" * 40), commits=(), files=files)
    state = replace(begin(Recorded(seq=1, at=START, event=session_created(SESSION)), House()), work=collected)
    found = changes.of_commits(state)
    assert found is not None
    assert [(file.path, file.kind) for file in found.files] == [(kind, kind) for kind in kinds]


def kinds(mailbox: Mailbox) -> list[str]:
    return [json.loads(frame)["kind"] for _, frame in mailbox._frames]


async def settle() -> None:
    """Whatever can go on without time has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_touches_are_one_look_and_a_slow_look_is_taken_seldom():
    clock = ManualClock()
    looks: list[float] = []

    async def look() -> None:
        looks.append(clock.monotonic())
        if len(looks) == 2:
            clock.advance(1.0)

    rounds = Rounds(clock, look)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(rounds.run(), name="rounds")
        rounds.touch()
        rounds.touch()
        await settle()
        rounds.touch()
        await settle()
        assert len(looks) == 1
        clock.advance(PAUSE_SECONDS)
        await settle()
        rounds.touch()
        clock.advance(SHARE - 0.1)
        await settle()
        assert len(looks) == 2, "it took a second"
        clock.advance(0.2)
        await settle()
        clock.advance(100)
        await settle()
        assert len(looks) == 3, "nothing was touched since"
        task.cancel()
