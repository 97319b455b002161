"""What a failing schedule leaves: who did what in which order, what was stored, what the engine was given.

Replayed, the deeds come one after the other in the order in which they were over. That order is fixed; what the server
does between two of them is not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.faults.invariants import Receipt
from tests.faults.schedules import Burst, Step

FOLDER = Path(__file__).resolve().parents[2] / "artifacts" / "faults"


@dataclass(frozen=True)
class Trace:
    """One run of a seed."""

    seed: int
    faults: Sequence[str]
    schedule: Sequence[Burst]
    answered: Sequence[Step]
    logs: Mapping[str, Sequence[dict[str, Any]]]
    receipts: Sequence[Receipt]

    def write(self, folder: Path = FOLDER) -> Path:
        """One file for a seed, the last run's."""
        folder.mkdir(parents=True, exist_ok=True)
        path = path_of(self.seed, folder)
        path.write_text(json.dumps(asdict(self), indent=1))
        return path


def path_of(seed: int, folder: Path = FOLDER) -> Path:
    """Where the trace of a seed is, if it has one."""
    return folder / f"seed-{seed}.json"


def serial(path: Path) -> list[Burst]:
    """The deeds of a trace, each by itself. What was not over when the run failed comes last."""
    found = json.loads(path.read_text())
    answered = [Step(**step) for step in found["answered"]]
    planned = [Step(**step) for burst in found["schedule"] for step in burst]
    return [(step,) for step in [*answered, *(step for step in planned if step not in answered)]]
