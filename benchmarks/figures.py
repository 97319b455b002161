"""What a benchmark returns, and how it is printed and kept."""

import json
import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside its neighbour in the same run. `ratio` is ours / beside."""

    name: str
    workload: str
    ours: float | None
    unit: str
    beside: float | None
    beside_name: str
    target: str
    ok: bool | None
    """None: not run, or no target."""

    @property
    def ratio(self) -> float | None:
        """Ours / beside."""
        return self.ours / self.beside if self.ours is not None and self.beside else None


_BEGUN = time.monotonic()


def progress(what: str) -> None:
    """Say what is being done now, and how long the whole run has taken."""
    print(f"{time.monotonic() - _BEGUN:6.0f} s  {what}", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "quiet": os.getloadavg()[0] < 1.5,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def show(figures: Sequence[Figure]) -> str:
    """A table for people."""
    head = ("name", "ours", "beside", "ratio", "target", "")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(figure: Figure) -> tuple[str, str, str, str, str, str]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = {True: "ok", False: "MISSED", None: ""}[figure.ok]
    beside = "not run" if figure.beside is None else f"{_number(figure.beside, figure.unit)} ({figure.beside_name})"
    ours = "not run" if figure.ours is None else _number(figure.ours, figure.unit)
    return figure.name, ours, beside if figure.beside_name else "", ratio, figure.target, verdict


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 1000 else f"{value:.3g} {unit}"


def keep(path: Path, figures: Sequence[Figure], facts: dict[str, object]) -> None:
    """Write results.json."""
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
    path.write_text(json.dumps({"machine": facts, "figures": rows}, indent=2) + "\n")
