"""What `outrider pool` draws."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from outrider.cli.commands.pool import draw
from outrider.model.ids import CommitId
from outrider.model.pool import Miss, PoolCounts, PoolReport, WarmPhase, WarmView

COMMIT = CommitId("c0ffee" + "0" * 34)


def drawn(report: PoolReport, width: int = 100) -> str:
    out = io.StringIO()
    draw(Console(file=out, width=width, highlight=False, markup=False), report)
    return out.getvalue()


def view(phase: WarmPhase, *, held_for: str | None = None, stale: bool = False) -> WarmView:
    return WarmView(
        id="warm-abcd",
        repository="shop",
        branch="main",
        model="rehearsal/demo",
        phase=phase,
        held_for=held_for,
        stale=stale,
        commit=COMMIT,
        age_seconds=130,
    )


def report(*sandboxes: WarmView, **fields: object) -> PoolReport:
    given = {"at": datetime.now(UTC), "most": 4, "memory_left_bytes": 8 << 30, "pressed": False, **fields}
    return PoolReport.model_validate({**given, "sandboxes": sandboxes})


def test_an_empty_pool_says_what_fills_it() -> None:
    assert drawn(report()).startswith("No sandbox is warm. One is started for a repository that has an image")
    assert "OUTRIDER_POOL_SANDBOXES" in drawn(report(most=0))


@pytest.mark.parametrize("width", [60, 100])
def test_a_full_one_shows_each_sandbox_and_how_sessions_fared(width: int) -> None:
    counts = PoolCounts(hits=19, misses={Miss.NONE_READY.value: 1}, refill_seconds_median=3.25)
    held = view(WarmPhase.HELD, held_for="ada@example.com")
    text = drawn(
        report(held, view(WarmPhase.READY, stale=True), counts=counts, hit_rate=0.95, targets={"shop main": 2}), width
    )
    assert "held for ada@example.com" in text
    assert "ready, stale" in text
    assert "2 min ago" in text
    assert "19 of 20 sessions got a warm sandbox (95%)." in text
    assert "1 did not: none was ready." in text
    assert "A start takes 3.2 s." in text
    assert max(map(len, text.splitlines())) <= width


def test_trouble_is_said() -> None:
    text = drawn(report(view(WarmPhase.STARTING), pressed=True, last_failure="The disk is full."))
    assert "Memory is short" in text
    assert "The last start that failed: The disk is full." in text
