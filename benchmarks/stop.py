"""B12: stopping a tool that runs for a minute, beside the bare engine's own cancel; and who asked what, in which order,
when several people queue prompts while the engine speaks."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from benchmarks.bare_opencode import Acp, bare_session
from benchmarks.fake_model import MODEL, FakeModel, say
from benchmarks.figures import Figure, median, percentile
from benchmarks.first_token import engine_program
from benchmarks.product import fresh_home, serving_home, with_sandboxes
from benchmarks.stalls import Stalls
from outrider.model.errors import OutriderError
from outrider.testing.rehearsal_server import serving
from tests.e2e.deployment import Deployment, Feed, make_repository

NAME = "B12 stop-and-queue"
BESIDE = "opencode acp, session/cancel"
TOOL_PROMPT = "Run the long tool."
COMMAND = "echo begun; sleep 60"
READY_SECONDS, TURN_SECONDS = 900, 120
RUNNING_SECONDS = 1.0
"""How long the tool has run when it is stopped."""
ADDED_MS, TOLD_MS = 20.0, 50.0
PEOPLE = ("Ada", "Grace", "Lin")
QUEUED = 5


class ToolModel(FakeModel):
    """Where the last words of a person are `TOOL_PROMPT`, it has the long tool run; else it speaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if not _wants_tool(body):
            await super().__call__(scope, _nothing, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        arguments = json.dumps({"command": COMMAND, "description": "A long tool"})
        function = {"name": "bash", "arguments": arguments}
        await say(send, {"tool_calls": [{"index": 0, "id": "call-1", "type": "function", "function": function}]})
        await say(send, {}, finish="tool_calls")
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


@dataclass(frozen=True, slots=True)
class Stopped:
    """One stop, in ms from the asking."""

    told: float
    """Until a client heard of it."""
    idle: float
    """Until the engine had let go."""


async def stop(*, quick: bool) -> list[Figure]:
    """Run it. Without sandboxes here nothing is run."""
    repeats = 3 if quick else 10
    stalls = Stalls()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        repository = await asyncio.to_thread(make_repository, folder / "demo")
        url = await stack.enter_async_context(serving(ToolModel()))
        try:
            home = Path(stack.enter_context(fresh_home()))
            await stack.enter_async_context(with_sandboxes(home))
            settings = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "bench-key-of-no-worth"}
            deployment = await stack.enter_async_context(serving_home(home, OUTRIDER_POOL_SANDBOXES="0", **settings))
            session = await _begin(deployment, repository)
            feed = await stack.enter_async_context(deployment.feed(session))
            await feed.until("turn_ended", READY_SECONDS)
            bare = await stack.enter_async_context(_bare(folder, repository, url))
            ours, theirs = [], []
            async with stalls.watching(deployment):
                for _ in range(repeats):
                    ours.append(await _stop_ours(deployment, feed, session))
                    theirs.append(await _stop_bare(*bare))
                order = await _queue(deployment, feed, session)
        except (OutriderError, TimeoutError, StopIteration) as error:
            return [Figure(NAME, f"no sandbox here: {error}", None, "ms", None, BESIDE, "", None)]
    return [*_figures(ours, theirs, order), stalls.figure(NAME)]


def _figures(ours: list[Stopped], theirs: list[float], order: bool) -> list[Figure]:
    workload = f"{len(ours)} stops of a tool of 60 s, in turn"
    idle, told = median([one.idle for one in ours]), [one.told for one in ours]
    return [
        Figure(f"{NAME}, asked until the engine is idle, p50", workload, idle, "ms", median(theirs), BESIDE,
               f"added <= {ADDED_MS:g} ms", idle <= median(theirs) + ADDED_MS),
        Figure(f"{NAME}, asked until clients are told, p50", workload, median(told), "ms", None, "",
               f"<= {TOLD_MS:g} ms", median(told) <= TOLD_MS),
        Figure(f"{NAME}, asked until clients are told, p99", workload, percentile(told, 99), "ms", None, "", "", None),
        Figure(f"{NAME}, order and authors exact", f"{QUEUED} prompts of {len(PEOPLE)} people while tokens stream",
               float(order), "", None, "", "yes", order),
    ]  # fmt: skip


async def _begin(deployment: Deployment, repository: Path) -> str:
    async with deployment.client() as client:
        wanted = {"repository": str(repository), "prompt": "Say it.", "model": MODEL}
        answer = await client.post("/api/sessions", json=wanted, timeout=READY_SECONDS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["session"])


async def _stop_ours(deployment: Deployment, feed: Feed, session: str) -> Stopped:
    async with deployment.client() as client:
        await client.get("/api/health")  # the connection is open
        await feed.send("prompt", ref="bench", text=TOOL_PROMPT)
        await feed.until("tool_call_changed", TURN_SECONDS)
        await asyncio.sleep(RUNNING_SECONDS)
        asked = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.post(f"/api/sessions/{session}/stop"), name="stop")
            await feed.until("stop_requested", TURN_SECONDS)
            told = time.perf_counter()
            await feed.until("engine_finished", TURN_SECONDS)
            idle = time.perf_counter()
        await feed.until("turn_ended", TURN_SECONDS)
    return Stopped((told - asked) * 1000, (idle - asked) * 1000)


async def _queue(deployment: Deployment, feed: Feed, session: str) -> bool:
    """Whether prompts ran in the order in which they were queued, each in the name of who queued it."""
    wanted = [(f"Number {number}.", PEOPLE[number % len(PEOPLE)]) for number in range(QUEUED)]
    async with deployment.client() as client:
        await feed.send("prompt", ref="bench", text="Say it.")
        while feed.frames[-1]["kind"] != "delta":
            await feed.read()
        for text, name in wanted:
            author = {"name": name, "email": f"{name.lower()}@example.org"}
            answer = await client.post(f"/api/sessions/{session}/prompts", json={"text": text, "author": author})
            assert answer.status_code == 202, answer.text
        for _ in range(QUEUED + 1):
            await feed.until("turn_ended", TURN_SECONDS)
        events = [one["event"] for one in (await client.get(f"/api/sessions/{session}/events")).json()["events"]]
    prompts = {event["prompt"]["id"]: event["prompt"] for event in events if event["type"] == "prompt_queued"}
    ran = [prompts[event["prompt"]] for event in events if event["type"] == "turn_started"]
    return [(one["text"], one["author"]["person"]["name"]) for one in ran[-QUEUED:]] == wanted


@asynccontextmanager
async def _bare(folder: Path, repository: Path, url: str) -> AsyncIterator[tuple[Acp, str]]:
    place = folder / "bare"
    place.mkdir()
    clone = ("git", "clone", "-q", str(repository), str(place / "workspace"))
    await asyncio.to_thread(subprocess.run, clone, check=True)
    async with bare_session(engine_program(), place, url) as opened:
        yield opened


async def _stop_bare(client: Acp, session: str) -> float:
    """From the cancel to the end of the prompt."""
    prompt = {"sessionId": session, "prompt": [{"type": "text", "text": TOOL_PROMPT}]}
    async with asyncio.TaskGroup() as tasks:
        running = asyncio.Event()
        asking = tasks.create_task(client.call("session/prompt", prompt, running=running), name="prompt")
        await running.wait()
        await asyncio.sleep(RUNNING_SECONDS)
        asked = time.perf_counter()
        client.notify("session/cancel", {"sessionId": session})
        await asking
    return (time.perf_counter() - asked) * 1000


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _wants_tool(body: bytes) -> bool:
    """Whether the last message is a person's, and asks for the tool."""
    messages = json.loads(body or b"{}").get("messages") or [{}]
    last = messages[-1]
    return last.get("role") == "user" and TOOL_PROMPT in json.dumps(last.get("content"))
