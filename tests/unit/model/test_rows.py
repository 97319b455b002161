"""Rows: events that are encoded at once are, to the byte, what each is by itself."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.model.engine import Speaker
from outrider.model.events import EVENT, RECORDED, Event, Recorded, TextSealed
from outrider.model.ids import MessageId, TurnId
from outrider.model.rows import row, rows

FIXTURES = sorted((Path(__file__).resolve().parents[3] / "clients" / "sdk" / "fixtures").glob("*.json"))
INDIA = timezone(timedelta(hours=5, minutes=30))
TIMES = [datetime(2026, 3, 1, 9, 30, tzinfo=UTC), datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=INDIA)]


def one_by_one(first: int, at: datetime, events: list[Event]) -> list[tuple[int, str, str, bytes]]:
    return [row(Recorded(seq=seq, at=at, event=event)) for seq, event in enumerate(events, first)]


@pytest.mark.parametrize("at", TIMES, ids=["UTC", "elsewhere"])
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_recorded_sessions_are_encoded_alike(path: Path, at: datetime) -> None:
    events = [EVENT.validate_python(recorded["event"]) for recorded in json.loads(path.read_text(encoding="utf-8"))]
    assert rows(1, at, events) == one_by_one(1, at, events)


@given(st.text(), st.integers(1, 2**53))
def test_any_text_is_encoded_alike_and_read_back(text: str, first: int) -> None:
    said = TextSealed(turn=TurnId("turn-aaaa"), message=MessageId("m-one"), speaker=Speaker.AGENT, offset=0, text=text)
    made = rows(first, TIMES[1], [said, said])
    assert made == one_by_one(first, TIMES[1], [said, said])
    assert RECORDED.validate_json(made[1][3]) == Recorded(seq=first + 1, at=TIMES[1], event=said)
