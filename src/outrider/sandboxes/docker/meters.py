"""What the containers use. The daemon keeps memory, processes and CPU; disk and wall time are ours."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from outrider.model.ids import SandboxId
from outrider.model.sandbox import SandboxHandle
from outrider.ports.clock import Clock
from outrider.sandboxes.docker.container import HOME_LABEL, SANDBOX_LABEL
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.records import StateFolder
from outrider.sandboxes.watchdog import LEAST_FILE_BYTES, DiskPace, Watched

POLL_SECONDS = 2.0

OVERLAP_SECONDS = 5.0
"""Events are asked for a little further back than the last round: one may be filed late. None is counted twice."""


class DaemonMeters:
    """Implements `outrider.sandboxes.watchdog.Meters` by the daemon's own word."""

    poll_seconds = POLL_SECONDS

    def __init__(
        self, state: StateFolder, api: DockerApi, clock: Clock, stop: Callable[[SandboxHandle], Awaitable[None]]
    ) -> None:
        self._state = state
        self._api = api
        self._clock = clock
        self._stop = stop
        self._since = clock.now().timestamp()
        self._seen: set[tuple[str, int]] = set()
        self._kills: dict[SandboxId, int] = {}
        self._pace = DiskPace(clock)
        self._data: Path | None = None

    async def running(self) -> Sequence[Watched]:
        """The containers that run."""
        found = []
        for row in await self._containers():
            record = self._state.read(SandboxId(row["Labels"][SANDBOX_LABEL]))
            if record:
                handle = SandboxHandle(id=record.spec.id, provider="docker")
                found.append(Watched(handle, record.spec.limits, record.started_at))
        return found

    async def memory_kills(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """Counted from the daemon's events."""
        if running:
            now = self._clock.now().timestamp()
            filters = {"event": ["oom"], "label": [f"{HOME_LABEL}={self._state.home()}"]}
            query = {"since": self._since - OVERLAP_SECONDS, "until": now, "filters": filters}
            for event in await self._api.events(query):
                key = (str(event["Actor"]["ID"]), int(event["timeNano"]))
                if key not in self._seen:
                    self._seen.add(key)
                    sandbox = SandboxId(event["Actor"]["Attributes"][SANDBOX_LABEL])
                    self._kills[sandbox] = self._kills.get(sandbox, 0) + 1
            self._since = now
        return self._kills

    async def disk_bytes(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """What each has written, when it is time: by the daemon's measure, and by the blocks of its files where we may
        see them, since to the daemon a file of one byte is one byte."""
        if self._data is None:
            self._data = Path((await self._api.get("/info"))["DockerRootDir"])
        if not self._pace.due(self._data):
            return {}
        rows = await self._containers(size=True)
        return {SandboxId(row["Labels"][SANDBOX_LABEL]): await self._written(row) for row in rows}

    async def _written(self, row: Mapping[str, Any]) -> int:
        container = await self._api.find(f"/containers/{row['Id']}/json") or {}
        upper = ((container.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
        blocks = await asyncio.to_thread(blocks_below, Path(upper)) if upper else 0
        return max(int(row.get("SizeRw", 0)), blocks)

    async def stop(self, handle: SandboxHandle) -> None:
        """Stop it as the provider does."""
        await self._stop(handle)

    async def _containers(self, *, size: bool = False) -> list[dict[str, Any]]:
        filters = {"label": [f"{HOME_LABEL}={self._state.home()}", SANDBOX_LABEL], "status": ["running"]}
        rows: list[dict[str, Any]] = await self._api.get("/containers/json", {"size": size, "filters": filters})
        return rows


def blocks_below(folder: Path) -> int:
    """The disk that a tree takes, in bytes; nothing for what we may not look into. No link is followed."""
    found, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    found += max(entry.stat(follow_symlinks=False).st_blocks * 512, LEAST_FILE_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue
    return found
