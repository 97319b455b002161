"""How long the server's event loop stood still during a benchmark, by the server's own count in `/metrics`."""

import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.figures import Figure
from tests.e2e.deployment import Deployment

HISTOGRAM = "outrider_loop_stall_seconds"
LIMIT_MS = 50.0


class Stalls:
    """Those of one server, or of several one after the other."""

    def __init__(self) -> None:
        self._counts = Counter[float]()
        """How many timers came late by at most so many seconds, each bound with all below it."""

    @asynccontextmanager
    async def watching(self, deployment: Deployment) -> AsyncIterator[None]:
        """Count what happens within the context. Where it fails nothing is counted."""
        before = await metrics_of(deployment)
        yield
        self.add(before, await metrics_of(deployment))

    def add(self, before: str, after: str) -> None:
        """Count what lies between two answers of `/metrics`."""
        self._counts += counts_in(after) - counts_in(before)

    @property
    def looks(self) -> int:
        """How often a timer was looked at."""
        return int(self._counts[math.inf])

    def bound_ms(self, percent: float) -> float:
        """The bucket's upper bound below which `percent` of the stalls lie, in ms; `inf` beyond the last bucket, 0
        where nothing was looked at."""
        reached = (bound for bound in sorted(self._counts) if self._counts[bound] >= self.looks * percent / 100)
        return next(reached, 0.0) * 1000

    def figure(self, name: str, *, judged: bool = True) -> Figure:
        """The row of a benchmark. It is judged where a target names the benchmark."""
        row = f"{name}, longest stall of the event loop, p99 within"
        target = f"<= {LIMIT_MS:g} ms" if judged else ""
        if not self.looks:
            return Figure(row, "the server's loop was not looked at", None, "ms", None, "", target, None)
        stall, longest = self.bound_ms(99), self.bound_ms(100)
        workload = f"the whole run, {self.looks} looks, one each 100 ms; the longest within {longest:g} ms"
        return Figure(row, workload, stall, "ms", None, "", target, stall <= LIMIT_MS if judged else None)


def counts_in(text: str) -> Counter[float]:
    """The histogram's buckets in an answer of `/metrics`, by their upper bound in seconds."""
    found = _samples(text, f"{HISTOGRAM}_bucket")
    return Counter({float(labels["le"]): int(value) for labels, value in found})


def session_sandboxes(text: str) -> int:
    """How many sandboxes of sessions exist, in an answer of `/metrics`."""
    return sum(int(value) for labels, value in _samples(text, "outrider_sandboxes") if labels["purpose"] == "session")


def _samples(text: str, name: str) -> Iterator[tuple[dict[str, str], float]]:
    for family in text_string_to_metric_families(text):
        yield from ((sample.labels, sample.value) for sample in family.samples if sample.name == name)


async def metrics_of(deployment: Deployment) -> str:
    """What the server answers of itself to the owner's token."""
    async with deployment.client() as client:
        answer = await client.get("/metrics")
    return answer.raise_for_status().text
