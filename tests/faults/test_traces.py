"""What is replayed is what was done, in the order in which it was over."""

from pathlib import Path

from tests.faults.invariants import Receipt
from tests.faults.schedules import schedule
from tests.faults.traces import Trace, path_of, serial


def test_a_trace_is_replayed_one_deed_after_the_other_and_what_was_not_over_comes_last(tmp_path: Path) -> None:
    bursts = schedule(7)
    steps = [step for burst in bursts for step in burst]
    answered = [*reversed(steps[:5]), *steps[5:-2]]
    path = Trace(7, ["a fault"], bursts, answered, {"s-1": [{"seq": 1}]}, [Receipt("r", ["talk"])]).write(tmp_path)
    assert path == path_of(7, tmp_path)
    assert serial(path) == [(step,) for step in [*answered, *steps[-2:]]]
