"""B8: how many sandboxes one machine holds, and what each costs beside the engine in it."""

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.at_rest import at_rest
from benchmarks.bare_opencode import bare_session
from benchmarks.fake_model import FakeModel
from benchmarks.figures import Figure, median, progress
from benchmarks.first_token import engine_program
from benchmarks.product import STATE, fresh_home, with_sandboxes
from outrider.broker.http_server import serve_http
from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.fleet.pool.memory import ONE_SANDBOX_BYTES, Memory, MemoryGauge
from outrider.fleet.pool.warm import Deaf
from outrider.model.engine import ModelRef
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import BROKER_PORT, WORKSPACE, SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.engine import EngineLaunch
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.rehearsal_server import serving

NAME = "B8 density"
IDLE = 100
ENGINE_SECONDS = 240
"""How long sandboxes with an engine are made, where memory does not end first."""
MEMORY_SHARE = 0.8
SHARE = 0.05


async def density(*, quick: bool) -> list[Figure]:
    """Run it. Without sandboxes or layers here nothing is run."""
    async with AsyncExitStack() as stack:
        try:
            home = Path(stack.enter_context(fresh_home()))
            await stack.enter_async_context(with_sandboxes(home))
            layers = STATE / "guest" / "layers"
            base, toolbox = (LayerId(next(layers.glob(f"{kind}-*")).name) for kind in ("base", "toolbox"))
        except (OutriderError, StopIteration) as error:
            return [Figure(NAME, f"no layers here yet, run B2 first: {error}", None, "MB", None, "", "", None)]
        provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
        progress(f"B8: {10 if quick else IDLE} idle sandboxes")
        idle = await _idle(provider, base, 10 if quick else IDLE, judged=not quick)
        progress("B8: sandboxes with an engine")
        bare = await _bare_engine(home / "bare")
        engines = await _with_engines(provider, (base, toolbox), home, bare, 5 if quick else ENGINE_SECONDS)
        return [*idle, *engines, *await at_rest(quick=quick)]


async def _idle(provider: NamespaceProvider, base: LayerId, count: int, *, judged: bool) -> list[Figure]:
    """So many at once, each with an open connection, as those of sessions between turns have. Each counts that answers
    once all are there."""
    ours = _Ours.now()
    made: list[float] = []
    async with AsyncExitStack() as stack:
        handles, guests = [], []
        for _ in range(count):
            started = time.monotonic()
            handles.append(await _create(provider, stack, (base,), None))
            guests.append(await stack.enter_async_context(await provider.connect(handles[-1])))
            made.append(time.monotonic() - started)
        answers = [await guest.run(ExecSpec(argv=["true"], cwd="/")) for guest in guests]
        alive = sum(answer.exit_code == 0 for answer in answers)
        trees = [_below(_outer(provider, handle)) for handle in handles]
        each = [pss(tree) for tree in trees]
        here = _Ours.now()
        ending = time.monotonic()
    ended = time.monotonic() - ending
    grown = (here.memory - ours.memory) / count / 1e6
    processes, files = len(trees[0]), (here.files - ours.files) / count
    workload = f"{count} at once, connected, no engine"
    return [
        Figure(f"{NAME}, idle sandboxes at once that answer", workload, float(alive), "", None, "",
               f">= {IDLE}" if judged else "", alive >= IDLE if judged else None),
        Figure(f"{NAME}, memory of all of them", workload, sum(each) / 1e6, "MB", None, "", "", None),
        Figure(f"{NAME}, memory of an idle one", workload, median(each) / 1e6, "MB", None, "", "", None),
        Figure(f"{NAME}, our own memory for it", workload, grown, "MB", None, "", "", None),
        Figure(f"{NAME}, processes of it", workload, float(processes), "", None, "", "", None),
        Figure(f"{NAME}, open files of ours for it", workload, files, "", None, "", "", None),
        Figure(f"{NAME}, create and connect, p50", workload, median(made) * 1000, "ms", None, "", "", None),
        Figure(f"{NAME}, all of them made, then ended", workload, sum(made), "s", ended, "ended", "", None),
    ]  # fmt: skip


async def _bare_engine(place: Path) -> int:
    """Memory of the engine by itself, on the host, with a session open."""
    (place / "workspace").mkdir(parents=True)
    async with serving(FakeModel()) as url, bare_session(engine_program(), place, url) as (client, _):
        return pss(_below(client.pid))


async def _with_engines(
    provider: NamespaceProvider, layers: tuple[LayerId, LayerId], home: Path, bare: int, seconds: float
) -> list[Figure]:
    """As many with an engine as memory allows, or as come within so many seconds."""
    base, toolbox = layers
    rests: list[float] = []
    sizes: list[float] = []
    until = time.monotonic() + seconds
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serve_http(FakeModel(), home / "m"))
        while (stopped := why_no_more(MemoryGauge().read(), until - time.monotonic())) is None:
            before = _Ours.now().memory
            handle = await _create(provider, stack, (base,), toolbox)
            guest = await stack.enter_async_context(await provider.connect(handle))
            await guest.forward(BROKER_PORT, home / "m")
            await _engine(guest, stack)
            tree = _below(_outer(provider, handle))
            engine = [pid for pid in tree if "opencode" in _command(pid)]
            rests.append(pss(set(tree) - set(engine)) + max(_Ours.now().memory - before, 0))
            sizes.append(pss(engine))
    return engine_figures(rests, sizes, bare, stopped)


def why_no_more(memory: Memory, seconds_left: float) -> str | None:
    """What forbids another sandbox with an engine; None where nothing does."""
    if memory.left < (1 - MEMORY_SHARE) * memory.total + ONE_SANDBOX_BYTES:
        return f"the next would use more than {MEMORY_SHARE:.0%} of memory"
    return "the time for it was over" if seconds_left <= 0 else None


def engine_figures(rests: Sequence[float], sizes: Sequence[float], bare: int, stopped: str) -> list[Figure]:
    """Of sandboxes with an engine, in bytes: what is not the engine's, the engine's, and the bare engine's."""
    if not sizes:
        return [Figure(f"{NAME}, with an engine at once", f"none: {stopped}", None, "", None, "", "", None)]
    workload = f"{len(sizes)} at once with an engine that listens; stopped because {stopped}"
    rest, size = median(rests), median(sizes)
    return [
        Figure(f"{NAME}, with an engine at once", workload, float(len(sizes)), "", None, "", "", None),
        Figure(f"{NAME}, the engine in a sandbox", workload, size / 1e6, "MB", bare / 1e6, "the bare engine", "", None),
        Figure(f"{NAME}, all but the engine in a sandbox", workload, rest / 1e6, "MB", bare / 1e6, "the bare engine",
               f"<= {SHARE:.0%}", rest <= SHARE * bare),
    ]  # fmt: skip


async def _create(
    provider: NamespaceProvider, stack: AsyncExitStack, layers: Sequence[LayerId], toolbox: LayerId | None
) -> SandboxHandle:
    spec = SandboxSpec(id=SandboxId(new_id("bench")), layers=tuple(layers), toolbox=toolbox)
    handle = await provider.create(spec)
    stack.push_async_callback(provider.destroy, handle)
    return handle


async def _engine(guest: Guest, stack: AsyncExitStack) -> None:
    await guest.run(ExecSpec(argv=["mkdir", "-p", WORKSPACE], cwd="/"))
    launch = EngineLaunch(model=ModelRef.parse("openai/bench"), workspace=WORKSPACE)
    engine = await AcpEngine(OpenCode()).open(guest, launch, Deaf())
    stack.push_async_callback(engine.close)


@dataclass(frozen=True, slots=True)
class _Ours:
    """What this process uses, which plays the control plane."""

    memory: int
    files: int

    @classmethod
    def now(cls) -> "_Ours":
        return cls(pss([os.getpid()]), len(os.listdir("/proc/self/fd")))  # noqa: PTH208 -- a count of /proc


def pss(pids: Iterable[int]) -> int:
    """Bytes of memory of these processes, what they share with others divided among all who share it."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def _outer(provider: NamespaceProvider, handle: SandboxHandle) -> int:
    pids = provider.state.pids(handle.id)
    assert pids is not None
    return pids.outer[0]


def _below(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for one in found:
        children = Path(f"/proc/{one}/task/{one}/children")
        found += [int(child) for child in (children.read_text().split() if children.exists() else [])]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
