"""What is counted, and how Prometheus reads it."""

import asyncio

from prometheus_client import CollectorRegistry, Histogram

from outrider.app.loop_watch import LOOK_SECONDS, LoopWatch
from outrider.model.engine import Usage
from outrider.session.meters import MOST_MODELS, Meters
from outrider.testing.manual_clock import ManualClock


def usage(model: str, cost: float | None = 0.5) -> Usage:
    return Usage(call="c", model=model, input_tokens=10, output_tokens=2, cache_read_tokens=4, cost_usd=cost)


def test_calls_are_summed_by_model_and_a_call_without_a_price_is_not_free() -> None:
    meters = Meters()
    for cost in (0.5, 0.25, None):
        meters.called(usage("openai/one", cost))
    read = meters.registry.get_sample_value
    one = {"model": "openai/one"}
    figures = ("calls", "unpriced_calls", "cost_usd")
    assert [read(f"outrider_model_{figure}_total", one) for figure in figures] == [3, 1, 0.75]
    kinds = ("input", "output", "cache_read", "cache_write")
    assert [read("outrider_model_tokens_total", {**one, "kind": kind}) for kind in kinds] == [30, 6, 12, 0]


def test_models_without_end_are_one() -> None:
    meters = Meters()
    for number in range(MOST_MODELS + 50):
        meters.called(usage(f"openai/{number}"))
    calls = next(family for family in meters.registry.collect() if family.name == "outrider_model_calls")
    assert len(calls.samples) == MOST_MODELS + 1
    assert meters.registry.get_sample_value("outrider_model_calls_total", {"model": "others"}) == 50


async def test_a_stall_is_what_a_timer_comes_late_by() -> None:
    clock, registry = ManualClock(), CollectorRegistry()
    stalls = Histogram("stalls", "By how much.", buckets=(0.01, 0.3, 1.0), registry=registry)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(LoopWatch(clock, stalls).run(), name="watch")
        for late in (0.0, 0.25):
            await asyncio.sleep(0)
            clock.advance(LOOK_SECONDS + late)
            await asyncio.sleep(0)
        task.cancel()
    buckets = [registry.get_sample_value("stalls_bucket", {"le": bound}) for bound in ("0.01", "0.3", "1.0")]
    assert buckets == [1, 2, 2]
