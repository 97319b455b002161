"""Plays a schedule against a deployment, and says what did not hold."""

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from outrider.model.ids import SessionId
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.session.found import SESSION_LABEL
from outrider.storage.session_log import SqliteSessionLogs
from tests.e2e.deployment import Deployment
from tests.faults.invariants import broken
from tests.faults.people import Watcher, watching
from tests.faults.schedules import CLIENTS, SESSIONS, Step, schedule
from tests.faults.scripted_server import RECEIPTS

REST_SECONDS = 180
"""All that waits is done by then: it takes some ten seconds on a quiet machine."""


@dataclass
class Play:
    """One schedule on its way."""

    deployment: Deployment
    provider: NamespaceProvider
    repository: Path
    sessions: list[SessionId]
    watchers: list[Watcher]
    """Five people, each on every session."""

    @classmethod
    async def begin(cls, deployment: Deployment, provider: NamespaceProvider, repository: Path) -> "Play":
        """Sessions that have a first prompt, and everybody logged in."""
        sessions = [
            SessionId(await deployment.begin(repository, f"talk #first {number}")) for number in range(SESSIONS)
        ]
        cookies = [await _log_in(deployment, number) for number in range(CLIENTS)]
        watchers = [
            Watcher(f"Client {client}", session, cookie, lambda: deployment.server.url)
            for client, cookie in enumerate(cookies)
            for session in sessions
        ]
        return cls(deployment, provider, repository, sessions, watchers)

    async def run(self, steps: list[Step]) -> None:
        """Do one thing after the other, then let all that waits be done."""
        async with watching(self.watchers):
            for step in steps:
                watcher = self.watchers[step.client * SESSIONS + step.session]
                await watcher.look(step.frames)
                await self._do(step, watcher)
            for session in self.sessions:
                seq = await self._rest(session)
                for watcher in self.watchers:
                    if watcher.session == session:
                        await watcher.catch_up(seq)

    async def faults(self) -> list[str]:
        """Stop the server, and say what does not hold."""
        await self.deployment.stop()
        receipts = self._receipts()
        found: list[str] = []
        sandboxes: set[str] = set()
        logs = SqliteSessionLogs(self.deployment.home.path / "sessions")
        for session in self.sessions:
            log = logs.open(session)
            events = [json.loads(body) for body in log.read_encoded(0, 100_000)]
            log.close()
            sandboxes |= _sandboxes(events)
            mine = [watcher for watcher in self.watchers if watcher.session == session]
            found += [f"{session}: {fault}" for fault in broken(events, mine, receipts)]
        return [*found, *self._left_behind(sandboxes)]

    async def _do(self, step: Step, watcher: Watcher) -> None:
        match step.deed:
            case "prompt":
                await watcher.prompt(f"{step.text} by {watcher.name}")
            case "stop":
                await watcher.ask("stop")
            case "steer" | "withdraw" | "move":
                await self._rearrange(step, watcher)
            case "leave":
                await watcher.leave()
            case "return":
                await watcher.leave()
                await watcher.attach()
            case "kill server":
                await self.deployment.stop(signal.SIGKILL)
                await self.deployment.start()
            case "kill sandbox":
                await self._kill_sandbox(watcher.session)

    async def _rearrange(self, step: Step, watcher: Watcher) -> None:
        waiting = (await self._session(watcher.session))["queue"]
        if waiting:
            prompt = waiting[int(step.choice * len(waiting))]["id"]
            place = {"position": 0} if step.deed == "move" else {}
            await watcher.ask(step.deed, prompt=prompt, **place)

    async def _kill_sandbox(self, session: str) -> None:
        for info in await self.provider.list({SESSION_LABEL: session}):
            pids = self.provider.state.pids(info.handle.id)
            if pids and info.running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pids.inner[0], signal.SIGKILL)

    async def _rest(self, session: SessionId) -> int:
        """Wait until nothing runs and nothing waits. Turns that would take long are stopped. The last event."""
        async with asyncio.timeout(REST_SECONDS):
            while True:
                now = await self._session(session)
                if now["turn"] is None and not now["queue"]:
                    return await self._last_event(session)
                if await self._is_long(session, now["turn"]):
                    async with self.deployment.client() as client:
                        await client.post(f"/api/sessions/{session}/stop")
                await asyncio.sleep(0.1)  # whoever waits for a session that nobody watches has to ask

    async def _is_long(self, session: SessionId, turn: dict[str, Any] | None) -> bool:
        if turn is None or turn["phase"] == "stopping":
            return False
        texts = {
            event["event"]["prompt"]["id"]: event["event"]["prompt"]["text"]
            for event in await self._events(session)
            if event["event"]["type"] == "prompt_queued"
        }
        return texts[turn["prompt"]].startswith("leave ")

    async def _last_event(self, session: SessionId) -> int:
        return int((await self._events(session))[-1]["seq"])

    async def _events(self, session: SessionId) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with self.deployment.client() as client:
            while page := (await client.get(f"/api/sessions/{session}/events?after={len(found)}")).json()["events"]:
                found += page
        return found

    async def _session(self, session: str) -> dict[str, Any]:
        async with self.deployment.client() as client:
            found: dict[str, Any] = (await client.get(f"/api/sessions/{session}")).json()
        return found

    def _receipts(self) -> list[str]:
        path = self.deployment.home.path / RECEIPTS
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _left_behind(self, sandboxes: set[str]) -> list[str]:
        """Processes that still have one of these sandboxes mounted."""
        found = []
        for table in Path("/proc").glob("[0-9]*/mountinfo"):
            with contextlib.suppress(OSError):
                mounts = table.read_text()
                found += [f"process {table.parent.name} is left of {one}" for one in sandboxes if one in mounts]
        return found


def _sandboxes(events: list[dict[str, Any]]) -> set[str]:
    ready = [event["event"] for event in events if event["event"]["type"] == "sandbox_ready"]
    return {event["handle"]["id"] for event in ready}


async def play(seed: int, deployment: Deployment, provider: NamespaceProvider, repository: Path) -> list[str]:
    """The invariants that a seed breaks."""
    begun = await Play.begin(deployment, provider, repository)
    await begun.run(schedule(seed))
    return await begun.faults()


async def _log_in(deployment: Deployment, number: int) -> str:
    person = {"name": f"Client {number}", "email": f"client-{number}@example.org"}
    async with deployment.client() as client:
        link = (await client.post("/api/login-links", json={"person": person})).json()["url"]
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(link)
    return answer.headers["set-cookie"].partition(";")[0]
