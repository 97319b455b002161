"""The ratios of the benchmarks that hold on any machine: both sides run here, in turn, and wait for nothing else."""

from pathlib import Path

from benchmarks.append import flood
from benchmarks.figures import Figure
from benchmarks.resume import ratios

SLACK = 1.5
"""By how much a ratio may miss its target before it is no longer noise."""


def ratio(figures: list[Figure], name: str) -> float:
    found = next(figure.ratio for figure in figures if figure.name == name)
    assert found is not None
    return found


async def test_appending_keeps_up_with_a_bare_sqlite3_loop(tmp_path: Path) -> None:
    figures = await flood(tmp_path, events=4_000, repeats=5)
    assert ratio(figures, "B4 append, the log alone") >= 0.5 / SLACK
    assert ratio(figures, "B4 append, one session flat out") >= 0.5 / SLACK


async def test_attaching_costs_little_more_than_reading_the_file() -> None:
    figures = await ratios(repeats=5)
    assert ratio(figures, "B6 whole session, first to last frame") <= 3 * SLACK
