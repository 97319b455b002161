"""B1: from a prompt to the first token at a client, through all of Outrider and from the bare engine."""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.bare_opencode import Ask, bare_acp, bare_serve
from benchmarks.fake_model import MODEL, FakeModel, Heard
from benchmarks.figures import Figure, median, percentile
from benchmarks.product import STATE, fresh_home, serving_home, with_sandboxes
from benchmarks.stalls import Stalls
from outrider.fleet.toolbox import OPENCODE
from outrider.model.errors import OutriderError
from outrider.model.sandbox import TOOLBOX
from outrider.rehearsal.demo import write_demo_repository
from outrider.testing.rehearsal_server import serving
from tests.e2e.deployment import Deployment, Feed

READY_SECONDS = 900
"""The first run of all builds the layers of the sandbox."""
TURN_SECONDS = 60
WARM_UPS = 2
PROMPT = "Say it again."
NAME = "B1 first-token"
TARGET = "added <= 15 ms and <= 1.10 x"


async def first_token(*, quick: bool) -> list[Figure]:
    """Run it. The same prompt goes to each in turn, so that all of them see the same load of the machine."""
    prompts = 6 if quick else 30
    stalls = Stalls()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        repository = folder / "demo"
        await asyncio.to_thread(write_demo_repository, repository)
        model_url = await stack.enter_async_context(serving(FakeModel()))
        try:
            asks = {"Outrider": await stack.enter_async_context(_outrider(repository, model_url, stalls))}
        except (OutriderError, TimeoutError) as error:
            return _not_run(f"no sandbox here: {error}")
        for name, bare in (("opencode serve", bare_serve), ("opencode acp", bare_acp)):
            place = await asyncio.to_thread(_bare_place, folder / name.replace(" ", "-"), repository)
            asks[name] = await stack.enter_async_context(bare(engine_program(), place, model_url))
        heard = await _rounds(asks, prompts)
    return [*_figures(heard, prompts), stalls.figure(NAME)]


async def _rounds(asks: dict[str, Ask], prompts: int) -> dict[str, list[Heard]]:
    """Each round begins with another: an engine still tidies up when the next one is asked."""
    heard: dict[str, list[Heard]] = {name: [] for name in asks}
    names = list(asks)
    for number in range(WARM_UPS + prompts):
        for name in names:
            answer = await asks[name](f"{PROMPT} ({number})")
            if number >= WARM_UPS:
                heard[name].append(answer)
        names.append(names.pop(0))
    return heard


def _figures(heard: dict[str, list[Heard]], prompts: int) -> list[Figure]:
    (_, ours), *bares = heard.items()
    figures = [figure for name, bare in bares for figure in _beside(ours, name, bare, prompts)]
    mine = median([answer.first_token_ms for answer in ours])
    return [*figures, Figure(f"{NAME} beside OpenHands, p50", "", mine, "ms", None, "OpenHands", "", None)]


def _beside(ours: Sequence[Heard], bare_name: str, bare: Sequence[Heard], prompts: int) -> list[Figure]:
    mine, theirs = [h.first_token_ms for h in ours], [h.first_token_ms for h in bare]
    added = median(mine) - median(theirs)
    tail = percentile(mine, 99) - percentile(theirs, 99)
    workload = f"{prompts} prompts in turn on warm sessions; first token at once"
    name = f"{NAME} beside {bare_name}"
    p50 = Figure(
        name=f"{name}, p50",
        workload=workload,
        ours=median(mine),
        unit="ms",
        beside=median(theirs),
        beside_name=bare_name,
        target=TARGET,
        ok=added <= 15 and median(mine) <= 1.1 * median(theirs),
    )
    p99 = Figure(f"{name}, p99", workload, percentile(mine, 99), "ms", percentile(theirs, 99), bare_name,
                 "added <= 40 ms", tail <= 40)  # fmt: skip
    asking = Figure(f"{name}, prompt to model p50", workload, median([h.asking_ms for h in ours]), "ms",
                    median([h.asking_ms for h in bare]), bare_name, "", None)  # fmt: skip
    relay = Figure(f"{name}, relay of each token p50", f"{prompts} x 40 tokens, one every 20 ms", _relay(ours), "ms",
                   _relay(bare), bare_name, "", None)  # fmt: skip
    return [p50, p99, asking, relay]


def _relay(heard: Sequence[Heard]) -> float:
    return median([delay for answer in heard for delay in answer.relay_ms])


def _not_run(why: str) -> list[Figure]:
    return [Figure(NAME, why, None, "ms", None, "opencode serve", TARGET, None)]


def engine_program() -> Path:
    """The very program that runs in the sandbox."""
    layers = STATE / "guest" / "layers"
    return next(layers.glob(f"toolbox-*/{Path(OPENCODE).relative_to(TOOLBOX)}"))


def _bare_place(place: Path, repository: Path) -> Path:
    place.mkdir()
    subprocess.run(("git", "clone", "-q", str(repository), str(place / "workspace")), check=True)
    return place


@asynccontextmanager
async def _outrider(repository: Path, model_url: str, stalls: Stalls) -> AsyncIterator[Ask]:
    """A warm session of a real deployment, its client on a WebSocket."""
    settings = {"OPENAI_BASE_URL": f"{model_url}/v1", "OPENAI_API_KEY": "bench-key-of-no-worth"}
    with fresh_home() as home:
        async with with_sandboxes(home), serving_home(home, **settings) as deployment:
            session = await _start_session(deployment, repository)
            async with deployment.feed(session) as feed:
                await feed.until("turn_ended", READY_SECONDS)
                async with stalls.watching(deployment):
                    yield lambda text: _prompt(feed, text)


async def _start_session(deployment: Deployment, repository: Path) -> str:
    async with deployment.client() as client:
        wanted = {"repository": str(repository), "prompt": PROMPT, "model": MODEL}
        answer = await client.post("/api/sessions", json=wanted)
    return str(answer.json()["session"])


async def _prompt(feed: Feed, text: str) -> Heard:
    heard = Heard()
    await feed.send("prompt", ref="bench", text=text)
    async with asyncio.timeout(TURN_SECONDS):
        while True:
            data = await feed.socket.recv(decode=False)
            heard.hear(data)
            if b'"turn_ended"' in data:
                frame = json.loads(data)
                assert any(event["event"].get("reason") == "completed" for event in frame["events"]), data
                return heard
