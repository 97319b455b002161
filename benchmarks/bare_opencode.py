"""OpenCode without us: the same program, settings and model, on the host, driven over its own interfaces."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.fake_model import MODEL, Heard
from outrider.engines.profiles.opencode import PLUGIN_FILE, OpenCode
from outrider.model.engine import ModelRef
from outrider.ports.engine import EngineLaunch

START_SECONDS = 90
ANSWER_SECONDS = 60
LINE_BYTES = 8 << 20

Ask = Callable[[str], Awaitable[Heard]]
"""Gives the engine a prompt and hears its answer to the end."""


@asynccontextmanager
async def bare_acp(binary: Path, folder: Path, model_url: str) -> AsyncIterator[Ask]:
    """`opencode acp`: ACP over its stdin and stdout, as our own adapter speaks it."""
    async with bare_session(binary, folder, model_url) as (client, session):

        async def ask(text: str) -> Heard:
            heard = Heard()
            prompt = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
            await client.call("session/prompt", prompt, heard)
            return heard

        yield ask


@asynccontextmanager
async def bare_session(binary: Path, folder: Path, model_url: str) -> AsyncIterator[tuple["Acp", str]]:
    """A session of `opencode acp`, to be spoken to directly, and its id."""
    async with _engine(binary, folder, model_url, "acp") as process:
        client = Acp(process)
        await client.call("initialize", {"protocolVersion": 1, "clientCapabilities": {}})
        opened = await client.call("session/new", {"cwd": str(folder / "workspace"), "mcpServers": []})
        yield client, str(opened["sessionId"])


@asynccontextmanager
async def bare_serve(binary: Path, folder: Path, model_url: str) -> AsyncIterator[Ask]:
    """`opencode serve`: HTTP and server-sent events, as its own clients speak it."""
    async with _engine(binary, folder, model_url, "serve", "--hostname", "127.0.0.1", "--port", "0") as process:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while b"listening on " not in (line := await process.stdout.readline()):
                assert line, "OpenCode ended before it listened"
        url = line.decode().split("listening on ")[1].strip()
        async with httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
            session = (await client.post("/session", json={})).json()["id"]
            async with client.stream("GET", "/event") as events:
                lines = events.aiter_lines()
                yield lambda text: _ask_server(client, session, lines, text)


async def _ask_server(client: httpx.AsyncClient, session: str, lines: AsyncIterator[str], text: str) -> Heard:
    heard = Heard()
    provider, _, model = MODEL.partition("/")
    body = {"model": {"providerID": provider, "modelID": model}, "parts": [{"type": "text", "text": text}]}
    async with asyncio.timeout(ANSWER_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(client.post(f"/session/{session}/prompt_async", json=body), name="prompt")
        async for line in lines:
            heard.hear(line.encode())
            if '"session.idle"' in line:
                return heard
    raise AssertionError("OpenCode closed its event stream")


class Acp:
    """As much of JSON-RPC as one client with one call at a time needs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._calls = 0

    @property
    def pid(self) -> int:
        """Of the engine's process."""
        return self._process.pid

    def notify(self, method: str, params: Any) -> None:
        """Say something that has no answer."""
        self._say({"method": method, "params": params})

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _allow(self, asked: dict[str, Any]) -> None:
        """Permission, once."""
        options = asked["params"]["options"]
        once = next(option["optionId"] for option in options if option["kind"] == "allow_once")
        self._say({"id": asked["id"], "result": {"outcome": {"outcome": "selected", "optionId": once}}})

    async def call(
        self, method: str, params: Any, heard: Heard | None = None, running: asyncio.Event | None = None
    ) -> Any:
        """Call, and hear what is said until the answer comes. `running` is set when a tool is said to run."""
        assert self._process.stdout is not None
        self._calls += 1
        self._say({"id": self._calls, "method": method, "params": params})
        slow = heard is not None or running is not None
        async with asyncio.timeout(ANSWER_SECONDS if slow else START_SECONDS):
            while line := await self._process.stdout.readline():
                if heard:
                    heard.hear(line)
                if running and b'"in_progress"' in line:
                    running.set()
                message = json.loads(line)
                if message.get("method") == "session/request_permission":
                    self._allow(message)
                elif message.get("id") == self._calls and "method" not in message:
                    return message["result"]
        raise AssertionError(f"OpenCode ended within {method}")


@asynccontextmanager
async def _engine(binary: Path, folder: Path, model_url: str, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """OpenCode with the settings and permissions that our profile gives it but without our plugin, its calls going
    straight to the model."""
    home = folder / "engine"
    launch = EngineLaunch(model=ModelRef.parse(MODEL), workspace=str(folder / "workspace"))
    start = OpenCode(binary=str(binary), home=str(home), broker=model_url).start(launch)
    for name, text in start.files.items():
        if name == PLUGIN_FILE:
            continue
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **start.env}
    process = await asyncio.create_subprocess_exec(
        str(binary), *words, cwd=folder / "workspace", env=environment, limit=LINE_BYTES,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
