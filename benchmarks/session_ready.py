"""B2: from creating a session to an engine that listens with the repository on the right commit, on each path."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bare_opencode import bare_acp
from benchmarks.fake_model import MODEL, FakeModel
from benchmarks.figures import Figure, median, percentile, progress
from benchmarks.first_token import engine_program
from benchmarks.product import STATE, fresh_home, serving_home, with_sandboxes
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
READY_SECONDS = 900
"""The first run of all builds the layers of the sandbox."""
POOL = 4
QUICK_REPEATS = 2
CREATES_A_SECOND = 0.3
TYPING_SECONDS = 4.0
"""How long somebody types who wants a few lines done."""
FILE_BYTES = 100_000
PROMPT = "Say it again."

WARM_P50, WARM_P99, ADDED = 0.25, 0.6, 0.5
HIT_RATE = 0.95


async def session_ready(*, quick: bool) -> list[Figure]:
    """Run it. Without sandboxes here nothing is run."""
    repeats = QUICK_REPEATS if quick else 10
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        repository = folder / "big"
        await asyncio.to_thread(write_repository, repository, 10 if quick else 50)
        model_url = await stack.enter_async_context(serving(FakeModel()))
        try:
            home = Path(stack.enter_context(fresh_home()))
            await stack.enter_async_context(with_sandboxes(home))
            return await _Paths(home, repository, folder, model_url, repeats).run()
        except (OutriderError, TimeoutError) as error:
            return [Figure(NAME, f"no sandbox here: {error}", None, "s", None, BESIDE, "", None)]


class _Paths:
    """The paths to a session, one after the other over one home."""

    def __init__(self, home: Path, repository: Path, folder: Path, model_url: str, repeats: int) -> None:
        self._home = home
        self._repository = repository
        self._folder = folder
        self._repeats = repeats
        self._quick = repeats == QUICK_REPEATS
        self._pool = 2 if self._quick else POOL
        self._bares = 0
        self._model_url = model_url
        self._variables = {
            "OPENAI_BASE_URL": f"{model_url}/v1",
            "OPENAI_API_KEY": "bench-key-of-no-worth",
            "OUTRIDER_MODEL": MODEL,
        }

    async def run(self) -> list[Figure]:
        """All of them."""
        none = {"OUTRIDER_IMAGE_BUILDS": "0", "OUTRIDER_POOL_SANDBOXES": "0"}
        half = max(1, self._repeats // 2)
        async with serving_home(self._home, **self._variables, **none) as server:
            progress("B2: layers and the repository; minutes where they are built for the first time")
            await _ready(server, str(self._repository))
            progress(f"B2: cold, {half} times")
            cold, bare = await self._beside_bare(server, half)
            records = await self._records(server)
        async with serving_home(
            self._home, **self._variables, OUTRIDER_POOL_SANDBOXES="0", OUTRIDER_IMAGE_BUILDS="1"
        ) as server:
            progress("B2: an image of the repository")
            await _build(server, str(self._repository))
            progress(f"B2: from the image, {self._repeats} times")
            image, bare_again = await self._beside_bare(server, self._repeats)
        kept = {"OUTRIDER_POOL_TARGET": str(self._pool), "OUTRIDER_POOL_SANDBOXES": str(self._pool)}
        async with serving_home(self._home, **self._variables, **kept) as server:
            progress(f"B2: warm, {self._repeats} times")
            warm = [await self._warm(server) for _ in range(self._repeats)]
            creates = 5 if self._quick else 18
            progress(f"B2: {creates} creates as they come")
            rate, flow = await self._flow(server, creates)
        async with serving_home(self._home, **self._variables, OUTRIDER_POOL_TARGET="0") as server:
            progress(f"B2: typing, {half} times")
            typing = [await self._typed(server) for _ in range(half)]
        made, raw = await self._raw()
        stream = f"{len(flow)} creates at {CREATES_A_SECOND}/s, a pool of {self._pool}"
        return [
            *_path("cold", cold, [bare], target=""),
            *_path("image", image, [bare_again], target=f"<= bare engine start + {ADDED} s", added=ADDED),
            *_warm_figures(warm, bare_again),
            *_path("typing", typing, [bare_again], target=""),
            Figure(f"{NAME}, hit rate", stream, rate, "", None, "", f">= {HIT_RATE}", rate >= HIT_RATE),
            Figure(f"{NAME}, while creates come, p50", stream, median(flow), "s", None, "", "", None),
            Figure(f"{NAME}, record over HTTP, p50", "POST /api/sessions to its answer", median(records) * 1000, "ms",
                   None, "", "<= 5 ms", median(records) <= 0.005),
            Figure(f"{NAME}, raw sandbox, p50", "create, connect, first exec", median(made) * 1000, "ms",
                   median(raw) * 1000, "python3 -c pass", "", None),
        ]  # fmt: skip

    async def _beside_bare(self, server: Deployment, repeats: int) -> tuple[list[float], list[float]]:
        """In turn with the bare engine on a fresh clone."""
        ours, bare = [], []
        for _ in range(repeats):
            ours.append(await _ready(server, self._repository.name))
            bare.append(await self._bare())
        return ours, bare

    async def _bare(self) -> float:
        self._bares += 1
        place = self._folder / f"bare-{self._bares}"
        place.mkdir()
        started = time.monotonic()
        clone = await asyncio.create_subprocess_exec(
            "git", "clone", "-q", f"file://{self._repository}", str(place / "workspace")
        )
        assert await clone.wait() == 0
        async with bare_acp(engine_program(), place, self._model_url):
            took = time.monotonic() - started
        await asyncio.to_thread(shutil.rmtree, place)
        return took

    async def _warm(self, server: Deployment) -> float:
        await _touch(server, self._repository.name)
        await _pool_until(server, lambda pool: _count(pool, "ready") >= (1 if self._quick else self._pool))
        return await _ready(server, self._repository.name, how="warm")

    async def _typed(self, server: Deployment) -> float:
        await _pool_until(server, lambda pool: not pool["sandboxes"])
        await _touch(server, self._repository.name)
        await asyncio.sleep(TYPING_SECONDS)
        return await _ready(server, self._repository.name)

    async def _flow(self, server: Deployment, creates: int) -> tuple[float, list[float]]:
        """Creates that come whether or not the earlier ones are done."""
        await _pool_until(server, lambda pool: _count(pool, "ready") >= self._pool)
        before = (await _pool(server))["counts"]
        async with asyncio.TaskGroup() as tasks:
            running = []
            for _ in range(creates):
                running.append(tasks.create_task(_ready(server, self._repository.name), name="create"))
                await asyncio.sleep(1 / CREATES_A_SECOND)
        hits = (await _pool(server))["counts"]["hits"] - before["hits"]
        return hits / creates, [task.result() for task in running]

    async def _records(self, server: Deployment) -> list[float]:
        taken = []
        for _ in range(self._repeats):
            async with server.client() as client:
                started = time.monotonic()
                session = await _create(client, self._repository.name)
                taken.append(time.monotonic() - started)
                await client.post(f"/api/sessions/{session}/stop")
                await client.post(f"/api/sessions/{session}/archive")
        return taken

    async def _raw(self) -> tuple[list[float], list[float]]:
        """The provider alone, beside the start of one Python process, which is most of what it does."""
        provider = NamespaceProvider(STATE, SystemClock(), groups=find_cgroups())
        base = LayerId(next((STATE / "guest" / "layers").glob("base-*")).name)
        made, raw = [], []
        for _ in range(self._repeats):
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
    return took


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


def _path(
    path: str, ours: list[float], bares: list[list[float]], *, target: str, added: float | None = None
) -> list[Figure]:
    [bare] = bares
    ok = None if added is None else median(ours) <= median(bare) + added
    workload = f"{len(ours)} creates, the engine listening and the repository synced"
    return [
        Figure(f"{NAME}, {path}, p50", workload, median(ours), "s", median(bare), BESIDE, target, ok),
        Figure(f"{NAME}, {path}, p99", workload, percentile(ours, 99), "s", percentile(bare, 99), BESIDE, "", None),
    ]  # fmt: skip


def _warm_figures(warm: list[float], bare: list[float]) -> list[Figure]:
    p50, p99 = _path("warm", warm, [bare], target="")
    return [
        _judged(p50, f"<= {WARM_P50} s", median(warm) <= WARM_P50),
        _judged(p99, f"<= {WARM_P99} s", percentile(warm, 99) <= WARM_P99),
    ]


def _judged(figure: Figure, target: str, ok: bool) -> Figure:
    return Figure(figure.name, figure.workload, figure.ours, figure.unit, figure.beside, figure.beside_name, target, ok)
