"""Figures of the deployment for a monitoring system, in Prometheus' text format."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from outrider.api.parts import Parts, UseLogin, UseParts
from outrider.fleet.clean import PURPOSE_LABEL
from outrider.fleet.pool.warm import POOL_LABEL
from outrider.model.errors import Refused
from outrider.model.pool import PoolReport, WarmView
from outrider.model.sandbox import SandboxInfo
from outrider.session.found import SESSION_LABEL

router = APIRouter(tags=["metrics"])

Sample = tuple[Mapping[str, str], float]

PURPOSES = {SESSION_LABEL: "session", POOL_LABEL: "pool", PURPOSE_LABEL: "clean"}


@router.get("/metrics", response_class=Response)
async def metrics(parts: UseParts, login: UseLogin) -> Response:
    """Figures in Prometheus' text format, for the deployment's owner: give a scraper the owner's token as bearer."""
    if not login.may_name_author:
        raise Refused("Only the owner's token may read the metrics.", "Send it as a bearer token; see the guide.")
    seen = [
        *await _sessions(parts),
        *_sandboxes(await parts.sandboxes()),
        *_pool(parts.pool.report()),
    ]
    text = await asyncio.to_thread(generate_latest, _Looked(seen, parts.meters.registry))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _sessions(parts: Parts) -> list[Metric]:
    counts = await parts.index.counts()
    rows = [({"status": status}, count) for status, count in sorted(counts.items())]
    return [
        _gauge("outrider_sessions", "Sessions by where they are.", rows),
        _gauge("outrider_sessions_awake", "Sessions in memory.", [({}, parts.registry.busy.awake)]),
        _gauge("outrider_feed_clients", "Clients attached to feeds.", [({}, parts.registry.busy.watching)]),
    ]


def _sandboxes(infos: Sequence[SandboxInfo]) -> list[Metric]:
    """Those that the provider really has."""
    found: Counter[tuple[str, bool]] = Counter()
    for info in infos:
        purpose = next((PURPOSES[label] for label in info.labels if label in PURPOSES), "other")
        found[purpose, info.running] += 1
    rows = [({"purpose": why, "running": str(up).lower()}, count) for (why, up), count in sorted(found.items())]
    return [_gauge("outrider_sandboxes", "Sandboxes that exist, by what they are for.", rows)]


def _pool(report: PoolReport) -> list[Metric]:
    counts, present = report.counts, Counter(map(_place, report.sandboxes))
    targets = [({"key": key}, target) for key, target in sorted(report.targets.items())]
    ages = [view.age_seconds for view in report.sandboxes if view.phase != "starting"]
    results = [({"result": "ready"}, counts.started), ({"result": "failed"}, counts.failed)]
    return [
        _gauge("outrider_pool_sandboxes", "Warm sandboxes.",
               [({"key": key, "phase": phase}, count) for (key, phase), count in sorted(present.items())]),
        _gauge("outrider_pool_target", "How many there should be.", targets),
        _gauge("outrider_pool_most", "How many there may be at once.", [({}, report.most)]),
        _gauge("outrider_pool_oldest_seconds", "Age of the oldest warm sandbox.", [({}, max(ages, default=0))]),
        _gauge("outrider_pool_hit_ratio", "Share of sessions that got one, since the start.",
               [] if report.hit_rate is None else [({}, report.hit_rate)]),
        _gauge("outrider_pool_pressed", "1 while memory is so short that the pool shrinks.", [({}, report.pressed)]),
        _gauge("outrider_pool_refill_seconds", "Median of the last hundred starts.",
               [] if counts.refill_seconds_median is None else [({}, counts.refill_seconds_median)]),
        _counter("outrider_pool_hits_total", "Sessions that got a warm sandbox.", [({}, counts.hits)]),
        _counter("outrider_pool_misses_total", "Sessions that got none.",
                 [({"reason": why}, count) for why, count in sorted(counts.misses.items())]),
        _counter("outrider_pool_starts_total", "Starts of warm sandboxes.", results),
        _counter("outrider_pool_drops_total", "Warm sandboxes that no session got.",
                 [({"reason": why}, count) for why, count in sorted(counts.dropped.items())]),
        _gauge("outrider_memory_left_bytes", "Memory of the machine or its control group.",
               [({}, report.memory_left_bytes)]),
    ]  # fmt: skip


def _place(view: WarmView) -> tuple[str, str]:
    return f"{view.repository} {view.branch}", view.phase.value


def _gauge(name: str, text: str, samples: Iterable[Sample]) -> Metric:
    """What goes up and down."""
    return _family("gauge", name, text, samples)


def _counter(name: str, text: str, samples: Iterable[Sample]) -> Metric:
    """What only grows. Its name ends in `_total`."""
    return _family("counter", name, text, samples)


def _family(kind: str, name: str, text: str, samples: Iterable[Sample]) -> Metric:
    family = Metric(name.removesuffix("_total"), text, kind)
    for labels, value in samples:
        family.add_sample(name, dict(labels), float(value))
    return family


class _Looked(Collector):
    """Figures of this moment, and those that are counted all the time."""

    def __init__(self, seen: Sequence[Metric], counted: CollectorRegistry) -> None:
        self._seen = seen
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._seen
        yield from self._counted.collect()
        yield from ProcessCollector(registry=None).collect()
