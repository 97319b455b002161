"""What is counted while the server runs, for whoever watches it: starts, syncs, calls to models, stalls of the loop.

Since the server started, and never stored: what must last is in the sessions' logs.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from outrider.model.engine import Usage
from outrider.model.sandbox_events import SandboxReady, Step, SyncFinished

SECONDS_OF_STARTS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SECONDS_OF_STALLS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

MOST_MODELS = 100
"""Models that are counted by name; more are one. A name may come from whoever prompts."""

disable_created_metrics()  # type: ignore[no-untyped-call]


class Meters:
    """All of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """What Prometheus reads."""
        self.stalls = self._durations(
            "outrider_loop_stall_seconds", "By how much timers of the server come late.", SECONDS_OF_STALLS
        )
        self._starts = self._durations(
            "outrider_start_seconds",
            "From asking for a sandbox to files to read, by the way that the session came by it.",
            SECONDS_OF_STARTS,
            "how",
        )
        self._syncs = self._durations(
            "outrider_sync_seconds", "From files to read to current files.", SECONDS_OF_STARTS
        )
        self._steps = self._sum(
            "outrider_start_step_seconds", "Seconds of the steps of starts and syncs.", "how", "step"
        )
        self._calls = self._sum("outrider_model_calls", "Calls to models.", "model")
        self._tokens = self._sum("outrider_model_tokens", "Tokens of these calls.", "model", "kind")
        self._dollars = self._sum("outrider_model_cost_usd", "Dollars, where the price is known.", "model")
        self._unpriced = self._sum("outrider_model_unpriced_calls", "Calls whose price is not known.", "model")
        self._models: set[str] = set()

    def started(self, ready: SandboxReady) -> None:
        """A session has its sandbox."""
        self._starts.labels(ready.how).observe(ready.seconds)
        self._step(ready.how, ready.steps)

    def synced(self, sync: SyncFinished) -> None:
        """Its files are current."""
        self._syncs.observe(sync.seconds)
        self._step("sync", sync.steps)

    def called(self, usage: Usage) -> None:
        """A model was called."""
        if len(self._models) < MOST_MODELS:
            self._models.add(usage.model)
        model = usage.model if usage.model in self._models else "others"
        self._calls.labels(model).inc()
        self._tokens.labels(model, "input").inc(usage.input_tokens)
        self._tokens.labels(model, "output").inc(usage.output_tokens)
        self._tokens.labels(model, "cache_read").inc(usage.cache_read_tokens)
        self._tokens.labels(model, "cache_write").inc(usage.cache_write_tokens)
        self._dollars.labels(model).inc(usage.cost_usd or 0.0)
        self._unpriced.labels(model).inc(usage.cost_usd is None)

    def _step(self, way: str, steps: Sequence[Step]) -> None:
        for step in steps:
            self._steps.labels(way, step.name).inc(step.seconds)

    def _durations(self, name: str, text: str, bounds: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=bounds, registry=self.registry)

    def _sum(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)
