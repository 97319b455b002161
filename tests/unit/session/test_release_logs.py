"""Logs that earlier releases have written: opened, folded, shown and gone on with."""

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from outrider.model.commands import QueuePrompt
from outrider.model.events import Recorded, SessionForked, SessionRewound, TurnEnded
from outrider.model.ids import SessionId
from outrider.model.membership import House
from outrider.session.decide import decide
from outrider.session.export import markdown
from outrider.session.fold import begin, fold_all
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.session_world import new_prompt

FIXTURES = Path(__file__).parents[1] / "storage/fixtures"
LOGS = sorted(FIXTURES.glob("release-*/*.sqlite"))
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


def test_every_release_has_its_logs():
    assert {path.stem for path in LOGS} >= {"rewound", "forked"}
