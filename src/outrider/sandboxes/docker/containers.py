"""The daemon's containers that are our sandboxes: made, run, ended, found. Callers see to it that only one call at a
time concerns one sandbox."""

import asyncio
from typing import Any

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import SandboxId
from outrider.sandboxes.docker.container import (
    HOME_LABEL,
    SANDBOX_LABEL,
    container_config,
    ready_argv,
    toolbox_mount,
)
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.records import StateFolder
from outrider.sandboxes.records import Record


class Containers:
    """Those of one home at one daemon."""

    def __init__(self, state: StateFolder, api: DockerApi) -> None:
        self._state = state
        self._api = api
        self._swept = False

    def name(self, sandbox: SandboxId) -> str:
        """What the daemon calls the container of a sandbox."""
        return f"outrider-{self._state.home()}-{sandbox}"

    async def make(self, record: Record, image: str, volume: str | None, runtime: str | None) -> None:
        """Make the container, its record first: until the record goes it can be found. Raises SandboxError."""
        self._state.write(record)
        labels = {HOME_LABEL: self._state.home(), SANDBOX_LABEL: record.spec.id}
        body = container_config(record.spec, record.keys, image, labels=labels)
        if volume:
            body["HostConfig"]["Mounts"] = [toolbox_mount(volume)]
        if runtime:
            body["HostConfig"]["Runtime"] = runtime
        await self._api.make_container(self.name(record.spec.id), body)

    async def run(self, sandbox: SandboxId) -> None:
        """Start it, and return when its sshd can be started. Raises SandboxError."""
        await self._api.post(f"/containers/{self.name(sandbox)}/start")
        with await self._api.attach(await self.command(sandbox, ready_argv())) as said:
            ready = await asyncio.get_running_loop().sock_recv(said, 16)
        if not ready:
            raise SandboxError("The sandbox did not start: its image lacks a shell, or could not lay out its folders.")

    async def command(self, sandbox: SandboxId, argv: list[str]) -> str:
        """Prepare a command of guest root in it, to be attached to. Raises SandboxError where it does not run."""
        body = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "User": "0:0", "Cmd": argv}
        return str((await self._api.post(f"/containers/{self.name(sandbox)}/exec", body=body))["Id"])

    async def kill(self, sandbox: SandboxId) -> None:
        """End all its processes. No error where there is none."""
        if await self.runs(sandbox):
            await self._api.post(f"/containers/{self.name(sandbox)}/stop", {"t": 0})

    async def remove(self, sandbox: SandboxId) -> None:
        """Leave nothing of it, our record last."""
        await self._api.delete(f"/containers/{self.name(sandbox)}", {"force": True, "v": True})
        self._state.forget(sandbox)

    async def exists(self, sandbox: SandboxId) -> bool:
        """Whether the daemon has it, running or not."""
        return await self._api.exists(f"/containers/{self.name(sandbox)}/json")

    async def runs(self, sandbox: SandboxId) -> bool:
        """Whether the daemon runs it."""
        row = await self._api.find(f"/containers/{self.name(sandbox)}/json")
        return row is not None and bool(row["State"]["Running"])

    async def record(self, sandbox: SandboxId) -> Record:
        """What was asked for. Raises SandboxLost where there is no such sandbox."""
        record = self._state.read(sandbox)
        if record is None or not await self.exists(sandbox):
            raise SandboxLost(f"The sandbox {sandbox} does not exist any more.")
        return record

    async def all(self) -> list[tuple[Record, bool]]:
        """Every sandbox that the daemon has, and whether it runs. The first look removes containers that no record
        knows: a killed call left them."""
        filters = {"label": [f"{HOME_LABEL}={self._state.home()}", SANDBOX_LABEL]}
        found = []
        rows: list[dict[str, Any]] = await self._api.get("/containers/json", {"all": True, "filters": filters})
        for row in rows:
            record = self._state.read(SandboxId(row["Labels"][SANDBOX_LABEL]))
            if record:
                found.append((record, row["State"] in ("running", "paused")))
            elif not self._swept:
                await self._api.delete(f"/containers/{row['Id']}", {"force": True, "v": True})
        self._swept = True
        return found
