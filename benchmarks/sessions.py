"""Sessions as data: their first event, and events of 300 bytes."""

from datetime import UTC, datetime
from pathlib import Path

from outrider.model.engine import ModelRef
from outrider.model.events import Event, Recorded, SessionCreated, StageReported
from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Author, Person
from outrider.model.repository import Repository
from outrider.storage.session_log import SqliteSessionLogs

AT = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "x" * 170
"""Makes an event of 300 bytes, number and time included."""

_LETTERS = str.maketrans("0123456789", "abcdefghij")


def opening(session: SessionId) -> Recorded:
    """The first event of a session that asks for nothing."""
    created = SessionCreated(
        session=session,
        title="A benchmark",
        created_by=Author(person=Person(name="Ada", email="ada@example.org")),
        repository=Repository(forge="builtin", name="demo", source="/demo", default_branch="main"),
        base_branch="main",
        base_commit=CommitId("1" * 40),
        model=ModelRef(provider="rehearsal", name="demo"),
    )
    return Recorded(seq=1, at=AT, event=created)


def event(number: int) -> Event:
    """An event that calls for nothing."""
    return StageReported(stage="load", text=f"{number} {TEXT}")


def names_of(count: int) -> list[SessionId]:
    """So many ids, in order."""
    return [SessionId("s-" + f"{number:010d}".translate(_LETTERS)) for number in range(count)]


def write_session(folder: Path, session: SessionId, events: int) -> None:
    """The log of a session with so many events, below the folder of all logs."""
    log = SqliteSessionLogs(folder).create(session)
    try:
        log.append([opening(session), *(Recorded(seq=seq, at=AT, event=event(seq)) for seq in range(2, events + 1))])
        log.checkpoint()
    finally:
        log.close()
