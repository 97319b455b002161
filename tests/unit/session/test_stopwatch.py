from outrider.session.stopwatch import Stopwatch
from outrider.testing.manual_clock import ManualClock


def test_each_lap_is_what_passed_since_the_one_before() -> None:
    clock = ManualClock()
    watch = Stopwatch(clock)
    clock.advance(0.25)
    watch.lap("pool")
    clock.advance(0.5)
    watch.lap("door")
    clock.advance(1)
    assert [(step.name, step.seconds) for step in watch.steps] == [("pool", 0.25), ("door", 0.5)]
    assert watch.seconds == 1.75
