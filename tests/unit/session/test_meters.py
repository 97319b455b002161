"""What is counted, and how it is written for Prometheus."""

import asyncio

from outrider.api.exposition import counter, exposition, gauge, histogram
from outrider.app.loop_watch import LOOK_SECONDS, LoopWatch
from outrider.model.engine import Usage
from outrider.session.meters import MOST_MODELS, Histogram, Meters
from outrider.testing.manual_clock import ManualClock


def usage(model: str, cost: float | None = 0.5) -> Usage:
    return Usage(call="c", model=model, input_tokens=10, output_tokens=2, cache_read_tokens=4, cost_usd=cost)


def test_calls_are_summed_by_model_and_a_call_without_a_price_is_not_free() -> None:
    meters = Meters()
    for cost in (0.5, 0.25, None):
        meters.called(usage("openai/one", cost))
    spent = meters.spent["openai/one"]
    assert (spent.calls, spent.unpriced, spent.cost_usd) == (3, 1, 0.75)
    assert spent.tokens == {"input": 30, "output": 6, "cache_read": 12, "cache_write": 0}


def test_models_without_end_are_one() -> None:
    meters = Meters()
    for number in range(MOST_MODELS + 50):
        meters.called(usage(f"openai/{number}"))
    assert len(meters.spent) == MOST_MODELS + 1
    assert meters.spent["others"].calls == 50


def test_a_histogram_counts_what_is_no_longer_than_each_bound() -> None:
    durations = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        durations.add(seconds)
    assert list(durations.buckets()) == [(0.1, 2), (1.0, 3)]
    assert (durations.count, durations.total) == (4, 7.65)


def test_the_text_is_what_prometheus_reads() -> None:
    durations = Histogram((0.5,))
    durations.add(0.25)
    families = [
        gauge("a", "Of a.", [({}, 3), ({"why": 'it\nsaid "no" \\'}, 0.5)]),
        counter("b_total", "Of b.", []),
        histogram("c_seconds", "Of c.", [({"how": "warm"}, durations)]),
    ]
    assert exposition(families).decode().splitlines() == [
        "# HELP a Of a.",
        "# TYPE a gauge",
        "a 3",
        'a{why="it\\nsaid \\"no\\" \\\\"} 0.5',
        "# HELP b_total Of b.",
        "# TYPE b_total counter",
        "# HELP c_seconds Of c.",
        "# TYPE c_seconds histogram",
        'c_seconds_bucket{how="warm",le="0.5"} 1',
        'c_seconds_bucket{how="warm",le="+Inf"} 1',
        'c_seconds_sum{how="warm"} 0.25',
        'c_seconds_count{how="warm"} 1',
    ]


async def test_a_stall_is_what_a_timer_comes_late_by() -> None:
    clock, stalls = ManualClock(), Histogram((0.01, 0.3, 1.0))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(LoopWatch(clock, stalls).run(), name="watch")
        for late in (0.0, 0.25):
            await asyncio.sleep(0)
            clock.advance(LOOK_SECONDS + late)
            await asyncio.sleep(0)
        task.cancel()
    assert list(stalls.buckets()) == [(0.01, 1), (0.3, 2), (1.0, 2)]
