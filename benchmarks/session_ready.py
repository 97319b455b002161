"""B2: from creating a session to an engine that listens with the repository on the right commit, on each path."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bare_opencode import bare_acp
from benchmarks.fake_model import MODEL, FakeModel
from benchmarks.figures import Figure, median, percentile, progress
from benchmarks.first_token import engine_program
from benchmarks.product import STATE, fresh_home, serving_home, with_sandboxes
from benchmarks.stalls import Stalls, metrics_of, session_sandboxes
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.rehearsal_server import serving
from tests.e2e.deployment import Deployment

NAME = "B2 session-ready"
BESIDE = "git clone + opencode acp"
ENGINE = "opencode acp alone"
READY_SECONDS = 900
"""The first run of all builds the layers of the sandbox."""
CREATES_A_SECOND = 0.3
TYPING_SECONDS = 4.0
"""How long somebody types who wants a few lines done."""
FILE_BYTES = 100_000
PROMPT = "Say it again."

WARM_P50, WARM_P99, ADDED = 0.25, 0.6, 0.5
HIT_RATE, RECORD_MS = 0.95, 5.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it is run."""

    cold: int = 5
    image: int = 10
    warm: int = 20
    typing: int = 5
    creates: int = 18
    pool: int = 4
    megabytes: int = 50
    """Of the repository."""

    def workload(self, samples: int, *, pool: int = 0) -> str:
        """What a row of so many samples was measured on."""
        warm = f"a pool of {pool}" if pool else "no pool"
        return (
            f"{samples} samples, a repository of {self.megabytes} MB, {warm}: the engine listens, the files are current"
        )


QUICK = Size(cold=1, image=2, warm=2, typing=1, creates=5, pool=2, megabytes=10)


@dataclass(frozen=True, slots=True)
class Bare:
    """The engine by hand, in seconds: the clone, and the start alone once it is there."""

    clone: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)

    @property
    def both(self) -> list[float]:
        """From nothing to an engine that listens."""
        return [clone + start for clone, start in zip(self.clone, self.start, strict=True)]


async def session_ready(*, quick: bool) -> list[Figure]:
    """Run it. Without sandboxes here nothing is run."""
    size = QUICK if quick else Size()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        repository = folder / "big"
        await asyncio.to_thread(write_repository, repository, size.megabytes)
        model_url = await stack.enter_async_context(serving(FakeModel()))
        try:
            home = Path(stack.enter_context(fresh_home()))
            await stack.enter_async_context(with_sandboxes(home))
            return await _Paths(home, repository, model_url, size).run()
        except (OutriderError, TimeoutError) as error:
            return [Figure(NAME, f"no sandbox here: {error}", None, "s", None, BESIDE, "", None)]


class _Paths:
    """The paths to a session, one after the other over one home."""

    def __init__(self, home: Path, repository: Path, model_url: str, size: Size) -> None:
        self._home = home
        self._repository = repository
        self._size = size
        self._stalls = Stalls()
        self._model_url = model_url

    async def run(self) -> list[Figure]:
        """All of them."""
        size = self._size
        async with self._serving(IMAGE_BUILDS=0, POOL_SANDBOXES=0) as server:
            progress("B2: layers and the repository; minutes where they are built for the first time")
            await _ready(server, str(self._repository))
            progress(f"B2: cold, {size.cold} times")
            cold = await self._beside_bare(server, size.cold)
            progress(f"B2: records, {size.image} times")
            records = await self._records(server)
        async with self._serving(IMAGE_BUILDS=1, POOL_SANDBOXES=0) as server:
            progress("B2: an image of the repository")
            await _build(server, str(self._repository))
            progress(f"B2: from the image, {size.image} times")
            image, bare = await self._beside_bare(server, size.image)
        async with self._serving(POOL_TARGET=size.pool, POOL_SANDBOXES=size.pool) as server:
            progress(f"B2: warm, {size.warm} times")
            warm = [await self._warm(server) for _ in range(size.warm)]
            progress(f"B2: {size.creates} creates as they come")
            rate, flow = await self._flow(server)
        async with self._serving(POOL_TARGET=0) as server:
            progress(f"B2: typing, {size.typing} times")
            typing = [await self._typed(server) for _ in range(size.typing)]
        progress("B2: raw sandboxes")
        return [
            *_beside_both("cold", size.workload(len(cold[0])), *cold),
            *image_figures(size.workload(len(image)), image, bare),
            *warm_figures(size.workload(len(warm), pool=size.pool), warm, bare),
            *_beside_both("typing", size.workload(len(typing), pool=1), typing, bare),
            *flow_figures(size, rate, flow),
            _record_figure(records),
            _raw_figure(*await self._raw()),
            self._stalls.figure(NAME, judged=False),
        ]

    @asynccontextmanager
    async def _serving(self, **settings: int) -> AsyncIterator[Deployment]:
        variables = {f"OUTRIDER_{name}": str(value) for name, value in settings.items()}
        engine = {
            "OPENAI_BASE_URL": f"{self._model_url}/v1",
            "OPENAI_API_KEY": "bench-key-of-no-worth",
            "OUTRIDER_MODEL": MODEL,
        }
        async with serving_home(self._home, **engine, **variables) as server, self._stalls.watching(server):
            yield server

    async def _beside_bare(self, server: Deployment, repeats: int) -> tuple[list[float], Bare]:
        """In turn with the bare engine on a fresh clone."""
        ours, bare = [], Bare()
        for _ in range(repeats):
            ours.append(await _ready(server, self._repository.name))
            await self._bare(bare)
        return ours, bare

    async def _bare(self, bare: Bare) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-bare-", ignore_cleanup_errors=True) as name:
            place = Path(name)
            started = time.monotonic()
            clone = await asyncio.create_subprocess_exec(
                "git", "clone", "-q", f"file://{self._repository}", str(place / "workspace")
            )
            assert await clone.wait() == 0
            cloned = time.monotonic()
            async with bare_acp(engine_program(), place, self._model_url):
                bare.start.append(time.monotonic() - cloned)
            bare.clone.append(cloned - started)

    async def _warm(self, server: Deployment) -> float:
        await _touch(server, self._repository.name)
        await _pool_until(server, lambda pool: _count(pool, "ready", "held") >= self._size.pool)
        return await _ready(server, self._repository.name, how="warm")

    async def _typed(self, server: Deployment) -> float:
        await _pool_until(server, lambda pool: not pool["sandboxes"])
        await _touch(server, self._repository.name)
        await asyncio.sleep(TYPING_SECONDS)
        return await _ready(server, self._repository.name)

    async def _flow(self, server: Deployment) -> tuple[float, list[float]]:
        """Creates that come whether or not the earlier ones are done."""
        await _pool_until(server, lambda pool: _count(pool, "ready") >= self._size.pool)
        before = (await _pool(server))["counts"]
        async with asyncio.TaskGroup() as tasks:
            running = []
            for _ in range(self._size.creates):
                running.append(tasks.create_task(_ready(server, self._repository.name), name="create"))
                await asyncio.sleep(1 / CREATES_A_SECOND)
        hits = (await _pool(server))["counts"]["hits"] - before["hits"]
        return hits / self._size.creates, [task.result() for task in running]

    async def _records(self, server: Deployment) -> list[float]:
        """Each session is over before the next begins: what it started would be measured with it."""
        taken = []
        for _ in range(self._size.image):
            async with server.client() as client:
                await client.get("/api/health")  # the connection is open
                started = time.monotonic()
                session = await _create(client, self._repository.name)
                taken.append(time.monotonic() - started)
                await _end(server, client, session)
        return taken

    async def _raw(self) -> tuple[list[float], list[float]]:
        """The provider alone, beside the start of one Python process, which is most of what it does."""
        provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
        base = LayerId(next((STATE / "guest" / "layers").glob("base-*")).name)
        made, raw = [], []
        for _ in range(self._size.image):
            started = time.monotonic()
            handle = await provider.create(SandboxSpec(id=SandboxId(new_id("bench")), layers=(base,)))
            async with await provider.connect(handle) as guest:
                await guest.run(ExecSpec(argv=["true"]))
                made.append(time.monotonic() - started)
            await provider.destroy(handle)
            started = time.monotonic()
            python = await asyncio.create_subprocess_exec("python3", "-I", "-S", "-c", "pass")
            await python.wait()
            raw.append(time.monotonic() - started)
        return made, raw


def write_repository(folder: Path, megabytes: int) -> None:
    """A repository of one commit with so much that cannot be packed smaller."""
    folder.mkdir()
    for number in range(megabytes * 1_000_000 // FILE_BYTES):
        part = folder / f"part{number % 20}"
        part.mkdir(exist_ok=True)
        (part / f"file{number}.bin").write_bytes(os.urandom(FILE_BYTES))
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for command in (("init", "-qb", "main"), ("add", "."), (*identity, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", str(folder), *command], check=True)


async def _ready(server: Deployment, repository: str, how: str | None = None) -> float:
    """Create a session and wait until its engine listens and its files are on the right commit. The session is over
    afterwards."""
    async with server.client() as client:
        started = time.monotonic()
        session = await _create(client, repository)
        async with server.feed(session) as feed:
            ready = await feed.until("sandbox_ready", READY_SECONDS)
            assert how in (None, ready["how"]), ready
            missing = {"sync_finished", "engine_attached"}
            async with asyncio.timeout(READY_SECONDS):
                while missing := missing - {recorded["event"]["type"] for recorded in feed.events}:
                    await feed.read()
            took = time.monotonic() - started
            await feed.until("turn_ended", READY_SECONDS)
            await client.post(f"/api/sessions/{session}/archive")
            await feed.until("sandbox_stopped", READY_SECONDS)  # else the next one would be measured beside it
    return took


async def _end(server: Deployment, client: httpx.AsyncClient, session: str) -> None:
    """Stop and archive a session, and wait until no sandbox is left."""
    async with server.feed(session) as feed:
        await client.post(f"/api/sessions/{session}/archive", json={"stop": True})
        await feed.until("session_archived", READY_SECONDS)
    async with asyncio.timeout(READY_SECONDS):
        while session_sandboxes(await metrics_of(server)):  # noqa: ASYNC110 -- asked over HTTP, of another process
            await asyncio.sleep(0.1)


async def _create(client: httpx.AsyncClient, repository: str) -> str:
    wanted = {"repository": repository, "prompt": PROMPT, "model": MODEL}
    answer = await client.post("/api/sessions", json=wanted, timeout=READY_SECONDS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["session"])


async def _build(server: Deployment, repository: str) -> None:
    async with server.client() as client:
        build = (await client.post("/api/images/builds", json={"repository": repository})).json()["build"]
        async with asyncio.timeout(READY_SECONDS):
            while build["state"] in ("queued", "running"):
                await asyncio.sleep(0.2)
                build = (await client.get(f"/api/images/builds/{build['id']}")).json()["build"]
    assert build["state"] == "done", build


async def _touch(server: Deployment, repository: str) -> None:
    async with server.client() as client:
        await client.post("/api/warm", json={"repository": repository, "model": MODEL})


async def _pool(server: Deployment) -> dict[str, Any]:
    async with server.client() as client:
        report: dict[str, Any] = (await client.get("/api/pool")).json()
    return report


async def _pool_until(server: Deployment, reached: Callable[[dict[str, Any]], bool]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not reached(await _pool(server)):  # noqa: ASYNC110 -- asked over HTTP, of another process
            await asyncio.sleep(0.1)


def _count(pool: dict[str, Any], *phases: str) -> int:
    return sum(one["phase"] in phases for one in pool["sandboxes"])


def _beside_both(path: str, workload: str, ours: list[float], bare: Bare) -> list[Figure]:
    """Beside what somebody would have to do by hand."""
    both = bare.both
    return [
        Figure(f"{NAME}, {path}, p50", workload, median(ours), "s", median(both), BESIDE, "", None),
        Figure(f"{NAME}, {path}, p99", workload, percentile(ours, 99), "s", percentile(both, 99), BESIDE, "", None),
    ]


def image_figures(workload: str, ours: list[float], bare: Bare) -> list[Figure]:
    """From an image. The repository is in it, so it is judged beside the start of the engine alone."""
    p50, start, clone = median(ours), median(bare.start), median(bare.clone)
    with_clone, p99 = _beside_both("image", workload, ours, bare)
    return [
        Figure(f"{NAME}, image, p50", workload, p50, "s", start, ENGINE, f"<= bare engine start + {ADDED} s",
               p50 <= start + ADDED),
        Figure(f"{NAME}, image, with a clone beside it, p50", f"{workload}; the clone alone takes {clone:.3g} s", p50,
               "s", with_clone.beside, BESIDE, "", None),
        p99,
    ]  # fmt: skip


def warm_figures(workload: str, ours: list[float], bare: Bare) -> list[Figure]:
    """From the pool."""
    p50, p99 = _beside_both("warm", workload, ours, bare)
    return [
        replace(p50, target=f"<= {WARM_P50} s", ok=median(ours) <= WARM_P50),
        replace(p99, target=f"<= {WARM_P99} s", ok=percentile(ours, 99) <= WARM_P99),
    ]


def flow_figures(size: Size, rate: float, taken: list[float]) -> list[Figure]:
    """While sessions come at their own pace."""
    pool = f"a pool of {size.pool} with engines primed"
    workload = f"{len(taken)} creates at {CREATES_A_SECOND}/s, a repository of {size.megabytes} MB, {pool}"
    return [
        Figure(f"{NAME}, hit rate", workload, rate, "", None, "", f">= {HIT_RATE}", rate >= HIT_RATE),
        Figure(f"{NAME}, while creates come, p50", workload, median(taken), "s", None, "", "", None),
    ]


def _record_figure(records: list[float]) -> Figure:
    workload = f"{len(records)} samples, POST /api/sessions to its answer, nothing else running"
    p50 = median(records)
    return Figure(f"{NAME}, record over HTTP, p50", workload, p50 * 1000, "ms", None, "",
                  f"<= {RECORD_MS:g} ms", p50 * 1000 <= RECORD_MS)  # fmt: skip


def _raw_figure(made: list[float], raw: list[float]) -> Figure:
    workload = f"{len(made)} samples: create, connect, first exec"
    return Figure(f"{NAME}, raw sandbox, p50", workload, median(made) * 1000, "ms", median(raw) * 1000,
                  "python3 -c pass", "", None)  # fmt: skip
