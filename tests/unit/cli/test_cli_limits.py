"""The table of limits in a terminal."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from outrider.app.limits import of_machine
from outrider.cli.commands.limits import show
from outrider.cli.words import amount
from outrider.model.limits import LimitUse
from outrider.settings import Settings

FULL = LimitUse(setting="OUTRIDER_LIMIT_QUEUE", what="prompts that wait", per="session", value=100, used=100)


def drawn(width: int) -> list[str]:
    rows: list[dict[str, Any]] = [
        one.model_dump(mode="json") for one in (FULL, *of_machine(Settings(home=Path("home"))))
    ]
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, markup=False), rows)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [50, 80, 120])
def test_every_setting_stays_whole_at_any_width(width: int):
    lines = drawn(width)
    words = " ".join(lines).split()
    assert max(map(len, lines)) <= width
    assert {"OUTRIDER_LIMIT_QUEUE", "OUTRIDER_SANDBOX_MEMORY_BYTES", "OUTRIDER_FREE_MEMORY_BYTES"} <= set(words)


def test_a_row_has_its_value_in_its_unit():
    rows = {line.strip().split("  ")[0]: " ".join(line.split()) for line in drawn(120)}
    assert rows["memory"] == "memory 4 GB OUTRIDER_SANDBOX_MEMORY_BYTES"
    assert rows["cost"] == "cost no limit OUTRIDER_BUDGET_USD"
    assert rows["prompts that wait"] == "prompts that wait 100 100 OUTRIDER_LIMIT_QUEUE"
    assert rows["a session and those below it"]


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (6 * 3600, "seconds", "6 h"),
        (90, "seconds", "1 min 30 s"),
        (256 << 10, "bytes", "256 kB"),
        (100, "bytes", "100 B"),
        (12.5, "dollars", "$12.5"),
        (1024, "count", "1,024"),
    ],
)
def test_an_amount_is_said_in_its_unit(value: float, unit: str, said: str):
    assert amount(value, unit) == said
