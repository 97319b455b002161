"""Figures of the deployment for a monitoring system, in Prometheus' text format."""

import os
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastapi import APIRouter, Response

from outrider.api.exposition import CONTENT_TYPE, Family, counter, exposition, gauge, histogram
from outrider.api.parts import Parts, UseLogin, UseParts
from outrider.fleet.clean import PURPOSE_LABEL
from outrider.fleet.pool.warm import POOL_LABEL
from outrider.model.errors import Refused
from outrider.model.pool import PoolReport, WarmView
from outrider.model.sandbox import SandboxInfo
from outrider.session.found import SESSION_LABEL
from outrider.session.meters import Meters

router = APIRouter(tags=["metrics"])

PURPOSES = {SESSION_LABEL: "session", POOL_LABEL: "pool", PURPOSE_LABEL: "clean"}


@router.get("/metrics", response_class=Response)
async def metrics(parts: UseParts, login: UseLogin) -> Response:
    """Figures in Prometheus' text format, for the deployment's owner: give a scraper the owner's token as bearer."""
    if not login.may_name_author:
        raise Refused("Only the owner's token may read the metrics.", "Send it as a bearer token; see the guide.")
    families = [
        *await _sessions(parts),
        *_sandboxes(await parts.sandboxes()),
        *_pool(parts.pool.report()),
        *_meters(parts.meters),
        *_process(),
    ]
    return Response(exposition(families), media_type=CONTENT_TYPE)


async def _sessions(parts: Parts) -> list[Family]:
    counts = await parts.index.counts()
    rows = [({"status": status}, count) for status, count in sorted(counts.items())]
    return [
        gauge("outrider_sessions", "Sessions by where they are.", rows),
        gauge("outrider_sessions_awake", "Sessions in memory.", [({}, parts.registry.busy.awake)]),
        gauge("outrider_feed_clients", "Clients attached to feeds.", [({}, parts.registry.busy.watching)]),
    ]


def _sandboxes(infos: Sequence[SandboxInfo]) -> list[Family]:
    """Those that the provider really has."""
    found: Counter[tuple[str, bool]] = Counter()
    for info in infos:
        purpose = next((PURPOSES[label] for label in info.labels if label in PURPOSES), "other")
        found[purpose, info.running] += 1
    rows = [({"purpose": why, "running": str(up).lower()}, count) for (why, up), count in sorted(found.items())]
    return [gauge("outrider_sandboxes", "Sandboxes that exist, by what they are for.", rows)]


def _pool(report: PoolReport) -> list[Family]:
    counts, present = report.counts, Counter(map(_place, report.sandboxes))
    targets = [({"key": key}, target) for key, target in sorted(report.targets.items())]
    ages = [view.age_seconds for view in report.sandboxes if view.phase != "starting"]
    results = [({"result": "ready"}, counts.started), ({"result": "failed"}, counts.failed)]
    return [
        gauge("outrider_pool_sandboxes", "Warm sandboxes.",
              [({"key": key, "phase": phase}, count) for (key, phase), count in sorted(present.items())]),
        gauge("outrider_pool_target", "How many there should be.", targets),
        gauge("outrider_pool_most", "How many there may be at once.", [({}, report.most)]),
        gauge("outrider_pool_oldest_seconds", "Age of the oldest warm sandbox.", [({}, max(ages, default=0))]),
        gauge("outrider_pool_hit_ratio", "Share of sessions that got one, since the start.",
              [] if report.hit_rate is None else [({}, report.hit_rate)]),
        gauge("outrider_pool_pressed", "1 while memory is so short that the pool shrinks.", [({}, report.pressed)]),
        gauge("outrider_pool_refill_seconds", "Median of the last hundred starts.",
              [] if counts.refill_seconds_median is None else [({}, counts.refill_seconds_median)]),
        counter("outrider_pool_hits_total", "Sessions that got a warm sandbox.", [({}, counts.hits)]),
        counter("outrider_pool_misses_total", "Sessions that got none.",
                [({"reason": why}, count) for why, count in sorted(counts.misses.items())]),
        counter("outrider_pool_starts_total", "Starts of warm sandboxes.", results),
        counter("outrider_pool_drops_total", "Warm sandboxes that no session got.",
                [({"reason": why}, count) for why, count in sorted(counts.dropped.items())]),
        gauge("outrider_memory_left_bytes", "Memory of the machine or its control group.",
              [({}, report.memory_left_bytes)]),
    ]  # fmt: skip


def _place(view: WarmView) -> tuple[str, str]:
    return f"{view.repository} {view.branch}", view.phase.value


def _meters(meters: Meters) -> Iterator[Family]:
    spent = sorted(meters.spent.items())
    yield histogram("outrider_start_seconds", "From asking for a sandbox to files to read, by the way.",
                    [({"how": how}, durations) for how, durations in sorted(meters.starts.items())])  # fmt: skip
    yield histogram("outrider_sync_seconds", "From files to read to current files.", [({}, meters.syncs)])
    steps = [({"how": how, "step": step}, took) for (how, step), took in sorted(meters.steps.items())]
    yield counter("outrider_start_step_seconds_total", "Seconds of the steps of starts and syncs.", steps)
    yield counter("outrider_model_calls_total", "Calls to models.", [({"model": m}, s.calls) for m, s in spent])
    tokens = [({"model": m, "kind": kind}, count) for m, s in spent for kind, count in sorted(s.tokens.items())]
    yield counter("outrider_model_tokens_total", "Tokens of these calls.", tokens)
    dollars = [({"model": m}, s.cost_usd) for m, s in spent]
    yield counter("outrider_model_cost_usd_total", "Dollars, where the price is known.", dollars)
    unpriced = [({"model": m}, s.unpriced) for m, s in spent]
    yield counter("outrider_model_unpriced_calls_total", "Calls whose price is not known.", unpriced)
    yield histogram("outrider_loop_stall_seconds", "By how much timers of the server come late.", [({}, meters.stalls)])


def _process() -> list[Family]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- a count of /proc
    return [
        gauge("outrider_resident_bytes", "Memory of the server.", [({}, pages * resource.getpagesize())]),
        gauge("outrider_open_files", "Open files of the server.", [({}, files)]),
        counter("outrider_cpu_seconds_total", "Processor time of the server.", [({}, time.process_time())]),
    ]
