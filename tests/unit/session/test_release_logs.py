"""Logs that earlier releases have written: opened, folded, shown and gone on with."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.events import (
    RECORDED,
    PromptHanded,
    Recorded,
    SessionForked,
    SessionRewound,
    TurnEnded,
    TurnInterrupted,
)
from outrider.model.ids import CommitId, SessionId
from outrider.model.membership import House
from outrider.session.decide import decide
from outrider.session.export import markdown
from outrider.session.fold import begin, fold_all
from outrider.session.state import State
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.fake_engine import FakeEngine, say
from outrider.testing.session_world import SessionWorld, new_prompt, running, turn_end

FIXTURES = Path(__file__).parents[1] / "storage/fixtures"
LOGS = sorted(path for path in FIXTURES.glob("release-*/*.sqlite") if path.stem != "running")
RUNNING = sorted(FIXTURES.glob("release-*/running.sqlite"))
NAME = SessionId("s-release222")


@pytest.fixture(params=LOGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteSessionLogs:
    """A home with one of them."""
    (tmp_path / NAME).mkdir()
    shutil.copy(request.param, tmp_path / NAME / "log.sqlite")
    return SqliteSessionLogs(tmp_path)


async def test_a_log_of_an_earlier_release_is_read_shown_and_gone_on_with(logs: SqliteSessionLogs):
    with closing(logs.open(NAME)) as log:
        records = list(log.all())
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        state = fold_all(begin(records[0], House()), records[1:])
        assert state.turn is None
        assert state.turns == sum(isinstance(record.event, TurnEnded) for record in records)
        assert any(isinstance(record.event, SessionRewound | SessionForked) for record in records)
        assert state.restore is not None
        assert state.created.created_by.person.name in {"Ada", "Bob"}
        story = await shown(log.read_encoded)
        assert "I write the first file." in story
        now = state.at + timedelta(days=400)
        events = decide(state, QueuePrompt(new_prompt("go on")), now)
        more = [Recorded(seq=state.seq + n, at=now, event=event) for n, event in enumerate(events, start=1)]
        log.append(more)
        assert fold_all(state, more).turn is not None


async def shown(read: Callable[[int, int], list[bytes]]) -> str:
    """The transcript."""

    async def page(after: int, limit: int) -> list[bytes]:
        return read(after, limit)

    return "".join([piece async for piece in markdown(page)])


@pytest.mark.parametrize("fixture", RUNNING, ids=lambda path: path.parent.name)
async def test_a_turn_that_an_earlier_release_was_in_goes_on(fixture: Path, tmp_path: Path):
    """The server of the earlier release was killed; that of this one starts over its files. The sandbox is gone."""
    engine = FakeEngine({"wait": [say("I waited.")], "two": [say("And the second.")]})
    world = SessionWorld(tmp_path, engine)
    await world.begin()
    before = take_over(fixture, tmp_path / "sessions", world.source.head())
    assert before.turn is not None
    assert (before.turn.handed, before.turn.prompt.text, [one.text for one in before.queue]) == (True, "wait", ["two"])
    async with running(world.registry()) as registry:
        await turn_end(registry, NAME, turns=2)
        state = await registry.state(NAME)
        events = [RECORDED.validate_json(row).event for row in await registry.events(NAME, 0, 1000)]
    [interrupted] = [event for event in events if isinstance(event, TurnInterrupted)]
    assert "server was stopped" in interrupted.reason
    assert [event.reason for event in events if isinstance(event, TurnEnded)] == ["completed", "completed"]
    handed = [(event.turn, event.attempt) for event in events if isinstance(event, PromptHanded)]
    assert handed[:2] == [(before.turn.id, 1), (before.turn.id, 2)]
    assert (state.queue, state.turns, len(handed)) == ((), 2, 3)


def take_over(fixture: Path, sessions: Path, head: CommitId) -> State:
    """Lay the log down over another repository of the same name, and fold it."""
    folder = sessions / NAME
    folder.mkdir(parents=True)
    shutil.copy(fixture, folder / "log.sqlite")
    with closing(SqliteSessionLogs(sessions).open(NAME)) as log:
        state = fold_all(begin(next(iter(log.all())), House()), list(log.all())[1:])
    renamed = [(state.created.base_commit, head), (state.session, NAME)]
    with closing(sqlite3.connect(folder / "log.sqlite")) as db, db:
        for was, name in renamed:
            db.execute("UPDATE event SET body = CAST(replace(body, ?, ?) AS BLOB)", (was, name))
    return state


def test_every_release_has_its_logs():
    assert {path.stem for path in LOGS} >= {"rewound", "forked"}
    assert {path.parent for path in RUNNING} == {path.parent for path in LOGS}
