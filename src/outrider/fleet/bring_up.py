"""Bringing a sandbox up: the services, then the start commands of its repository, before anybody works in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outrider.fleet.commands import Progress
from outrider.fleet.services import start_services
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.sandbox import ENGINE_ROLE, SYNC_ROLE, WORKSPACE
from outrider.model.services import SERVICE_ROLE, Beside, ServiceSpec, ServiceState
from outrider.ports.clock import Clock
from outrider.ports.sandbox import ExecSpec, Guest

SPARED = (SERVICE_ROLE, ENGINE_ROLE, SYNC_ROLE)
"""What runs beside a start command and does not end with it."""

OUTPUT_BYTES = 3000


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """The services as they are, and what went wrong with the start commands: a sentence, or nothing."""

    services: tuple[ServiceState, ...]
    start_failed: str = ""

    @property
    def failures(self) -> tuple[str, ...]:
        """A sentence for each thing that is missing."""
        services = tuple(state.detail for state in self.services if state.detail)
        return (*services, *([self.start_failed] if self.start_failed else []))


@dataclass(frozen=True, slots=True)
class BringUp:
    """One guest, what belongs beside the work in it, and what else its commands find in their environment."""

    guest: Guest
    beside: Beside
    egress: Mapping[str, str]
    clock: Clock
    say: Progress

    async def stacks(self) -> tuple[ServiceState, ...]:
        """The services that setup may need. Raises SandboxLost."""
        return await self._start(self.beside.stack_services)

    async def rest(self, *, started: bool = False) -> BroughtUp:
        """After setup: the repository's own services, then the start commands, unless these have run already. Raises
        SandboxLost."""
        states = await self._start(self.beside.services)
        return BroughtUp(states, "" if started else await self._hooks())

    async def all(self) -> BroughtUp:
        """Everything, where setup was done before. What runs already is left. Raises SandboxLost."""
        stacks = await self.stacks()
        rest = await self.rest()
        return BroughtUp((*stacks, *rest.services), rest.start_failed)

    async def _start(self, specs: Sequence[ServiceSpec]) -> tuple[ServiceState, ...]:
        return await start_services(self.guest, specs, self._environment(), self.clock, self.say)

    async def _hooks(self) -> str:
        left = self.beside.start_timeout_seconds
        for command in self.beside.start:
            self.say(f"Starting up: {command}")
            started = self.clock.monotonic()
            spec = ExecSpec(argv=["sh", "-c", command], cwd=WORKSPACE, env=self._environment())
            result = await self.guest.run(spec, timeout_seconds=max(left, 1), output_limit=OUTPUT_BYTES)
            left -= self.clock.monotonic() - started
            await self._kill_leftovers()
            if result.exit_code != 0 or result.timed_out:
                how = "took too long" if result.timed_out else f"ended with exit code {result.exit_code}"
                said = result.output.decode(errors="replace").strip()
                return f"The start command `{command}` {how}. It said: {said or 'nothing'}"[:4000]
        return ""

    async def _kill_leftovers(self) -> None:
        """What a command left in the background is no service, and would die with the next stop."""
        try:
            await self.guest.kill_everything(spare=SPARED)
        except SandboxLost:
            raise
        except SandboxError:
            await self.guest.kill_everything(spare=SPARED)

    def _environment(self) -> dict[str, str]:
        return {"OUTRIDER_ROLE": SYNC_ROLE, **self.egress, **self.beside.environment}
