"""Plays a schedule against a deployment, and says what did not hold."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from outrider.fleet.clean import PURPOSE_LABEL
from outrider.model.ids import SessionId
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.session.found import SESSION_LABEL
from outrider.storage.session_log import SqliteSessionLogs
from tests.e2e.deployment import Deployment, below, make_repository
from tests.faults.invariants import Receipt, broken, children_made, left_of_ended, texts_of
from tests.faults.people import Watcher, watching
from tests.faults.schedules import CHECKED, CLIENTS, ENDLESS, SESSIONS, Burst, Step
from tests.faults.scripted_server import ENGINE_FILE, RECEIPTS

REST_SECONDS = 180
"""All that waits is done by then: it takes some ten seconds on a quiet machine."""

MARK = b"FAULT_RECEIPT="
RECIPE = '[[checks]]\nname = "nap"\ncommand = "sleep 0.6"\n'

Events = list[dict[str, Any]]


@dataclass
class Play:
    """One schedule on its way."""

    deployment: Deployment
    provider: NamespaceProvider
    sessions: list[SessionId]
    watchers: list[Watcher]
    """Five people, each on every session."""
    left: list[str] = field(default_factory=list)
    """What was alive at a time when it had to be dead."""
    owner: httpx.AsyncClient = field(default_factory=lambda: _client())
    answered: list[Step] = field(default_factory=list)
    """The steps in the order in which they were over."""

    @classmethod
    async def begin(cls, deployment: Deployment, provider: NamespaceProvider, folder: Path) -> "Play":
        """Sessions that have a first prompt, one of them in a repository with checks, and everybody logged in."""
        plain = make_repository(folder / "plain")
        checked = make_repository(folder / "checked", **{"outrider.toml": RECIPE})
        sessions = [
            SessionId(await deployment.begin(checked if number == CHECKED else plain, f"talk #first {number}"))
            for number in range(SESSIONS)
        ]
        cookies = [await _log_in(deployment, number) for number in range(CLIENTS)]
        watchers = [
            Watcher(f"Client {client}", session, cookie, lambda: _address(deployment))
            for client, cookie in enumerate(cookies)
            for session in sessions
        ]
        return cls(deployment, provider, sessions, watchers)

    async def run(self, bursts: list[Burst]) -> None:
        """All of a burst at once, one burst after the other; then let all that waits be done."""
        async with self.owner, watching(self.watchers):
            for burst in bursts:
                async with asyncio.TaskGroup() as tasks:
                    for step in burst:
                        tasks.create_task(self._step(step), name=f"{step.client}: {step.deed}")
                self.left += self._left_alive()
            for session in self.sessions:
                seq = await self._rest(session)
                for watcher in self.watchers:
                    if watcher.session == session:
                        await watcher.catch_up(seq)
            self.left += self._left_alive()
            self.left += [
                f"the clean sandbox {info.handle.id} is left of a check"
                for info in await self.provider.list({})
                if PURPOSE_LABEL in info.labels
            ]

    def _left_alive(self) -> list[str]:
        """What lives of turns that, as anybody here has been told, are over. What is known is older than what lives."""
        receipts = self.receipts()
        known = [
            max((one.seen.events for one in self.watchers if one.session == session), key=len)
            for session in self.sessions
        ]
        alive = _alive()
        return [fault for events in known for fault in left_of_ended(events, receipts, alive)]

    async def faults(self) -> list[str]:
        """Stop the server, and say what does not hold."""
        await self.deployment.stop()
        receipts, logs = self.receipts(), self.logs()
        found = list(self.left)
        for session, events in logs.items():
            mine = [watcher for watcher in self.watchers if watcher.session == session]
            faults = [*broken(events, mine, receipts), *children_made(events, logs)]
            found += [f"{session}: {fault}" for fault in faults]
        sandboxes = {box for events in logs.values() for box in _sandboxes(events)}
        return [*found, *self._left_behind(sandboxes)]

    def logs(self) -> Mapping[str, Events]:
        """The log of every session that there is, children too."""
        logs = SqliteSessionLogs(self.deployment.home.path / "sessions")
        found: dict[str, Events] = {}
        for session in logs.ids():
            log = logs.open(session)
            found[session] = [json.loads(body) for body in log.read_encoded(0, 100_000)]
            log.close()
        return found

    async def _step(self, step: Step) -> None:
        watcher = self.watchers[step.client * SESSIONS + step.session]
        await watcher.look(step.frames)
        await self._do(step, watcher)
        self.answered.append(step)

    async def _do(self, step: Step, watcher: Watcher) -> None:
        match step.deed:
            case "prompt":
                await watcher.prompt(f"{step.text} by {watcher.name}")
            case "stop":
                await watcher.do("stop")
            case "stop check":
                await watcher.prompt(f"work {step.text} by {watcher.name}")
                await watcher.until("check_started")
                await watcher.do("stop")
            case "steer" | "withdraw" | "move" | "edit":
                await self._rearrange(step, watcher)
            case "spawn":
                await self._spawn(step, watcher)
            case "leave":
                await watcher.leave()
            case "return":
                await watcher.leave()
                await watcher.come_back()
            case _:
                await self._kill(step, watcher)

    async def _kill(self, step: Step, watcher: Watcher) -> None:
        match step.deed:
            case "kill server" | "end server":
                await self.deployment.stop(signal.SIGKILL if step.deed == "kill server" else signal.SIGTERM)
                await self.deployment.start()
            case "kill sandbox":
                await self._kill_in_sandbox(watcher.session, "")
            case "kill sshd":
                await self._kill_in_sandbox(watcher.session, "sshd")
            case "kill engine":
                await self._kill_in_sandbox(watcher.session, ENGINE_FILE)

    async def _rearrange(self, step: Step, watcher: Watcher) -> None:
        waiting = (await self._session(watcher.session))["queue"]
        if not waiting:
            return
        meant = waiting[int(step.choice * len(waiting))]
        more: dict[str, Any] = {"move": {"position": 0}}.get(step.deed, {})
        if step.deed == "edit":
            more = {"revision": meant["revision"], "text": f"{step.text} by {watcher.name}"}
        await watcher.do(step.deed, prompt=meant["id"], **more)

    async def _spawn(self, step: Step, watcher: Watcher) -> None:
        """A child that talks, asked for twice at once under one key."""
        wanted = {"prompt": f"talk child {step.text} by {watcher.name}", "key": step.text}
        async with asyncio.TaskGroup() as tasks:
            for again in range(2):
                asking = self._ask("POST", f"/api/sessions/{watcher.session}/children", wanted)
                tasks.create_task(asking, name=f"spawn {again}")

    async def _kill_in_sandbox(self, session: str, words: str) -> None:
        """The init of the sandbox, or what in it has these words in its command line."""
        for info in await self.provider.list({SESSION_LABEL: session}):
            pids = self.provider.state.pids(info.handle.id)
            if not pids or not info.running:
                continue
            inner = pids.inner[0]
            meant = [pid for pid, line in below(inner) if words in line] if words else [inner]
            for pid in meant:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def _rest(self, session: SessionId) -> int:
        """Wait until nothing runs and nothing waits, in its children neither. Turns that would take long are stopped.
        The last event."""
        async with asyncio.timeout(REST_SECONDS):
            while True:
                now = await self._session(session)
                children = await self._ask("GET", f"/api/sessions/{session}/children")
                if now["turn"] is None and not now["queue"] and not children["working"]:
                    return int((await self._events(session))[-1]["seq"])
                if await self._is_long(session, now["turn"]):
                    await self._ask("POST", f"/api/sessions/{session}/stop")
                await asyncio.sleep(0.1)  # whoever waits for a session that nobody watches has to ask

    async def _is_long(self, session: SessionId, turn: dict[str, Any] | None) -> bool:
        if turn is None or turn["phase"] == "stopping":
            return False
        return texts_of(await self._events(session))[turn["prompt"]].startswith(ENDLESS)

    async def _events(self, session: SessionId) -> Events:
        found: Events = []
        while page := (await self._ask("GET", f"/api/sessions/{session}/events?after={len(found)}"))["events"]:
            found += page
        return found

    async def _session(self, session: str) -> dict[str, Any]:
        return await self._ask("GET", f"/api/sessions/{session}")

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """In the owner's name, as often as it takes while servers die."""
        while True:
            try:
                url, token = _address(self.deployment) + path, self.deployment.home.token()
                asked = await self.owner.request(method, url, json=body, headers={"authorization": f"Bearer {token}"})
                answer: dict[str, Any] = asked.json()
                return answer
            except (httpx.TransportError, ConnectionError):
                await asyncio.sleep(0.05)  # the server is being started again

    def receipts(self) -> list[Receipt]:
        path = self.deployment.home.path / RECEIPTS
        return [Receipt(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def _left_behind(self, sandboxes: set[str]) -> list[str]:
        """Processes that still have one of these sandboxes mounted."""
        found = []
        for table in Path("/proc").glob("[0-9]*/mountinfo"):
            with contextlib.suppress(OSError):
                mounts = table.read_text()
                found += [f"process {table.parent.name} is left of {one}" for one in sandboxes if one in mounts]
        return found


def _sandboxes(events: Events) -> set[str]:
    ready = [event["event"] for event in events if event["event"]["type"] == "sandbox_ready"]
    return {event["handle"]["id"] for event in ready}


def _address(deployment: Deployment) -> str:
    """Where the server is."""
    running = deployment.home.running()
    if running is None:
        raise ConnectionError("the server is down")
    return running.url


def _alive() -> set[str]:
    """The receipts of every process of this machine that has one."""
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            rows = environment.read_bytes().split(b"\0")
            found |= {row.partition(b"=")[2].decode() for row in rows if row.startswith(MARK)}
    return found


def _client() -> httpx.AsyncClient:
    """For plain HTTP: to read the certificates of the world takes a tenth of a second."""
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=60)


async def _log_in(deployment: Deployment, number: int) -> str:
    person = {"name": f"Client {number}", "email": f"client-{number}@example.org"}
    headers = {"authorization": f"Bearer {deployment.home.token()}"}
    async with _client() as client:
        url = f"{_address(deployment)}/api/login-links"
        link = (await client.post(url, json={"person": person}, headers=headers)).json()["url"]
    async with _client() as browser:
        answer = await browser.get(link)
    return answer.headers["set-cookie"].partition(";")[0]
