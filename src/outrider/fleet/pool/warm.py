"""A warm sandbox: made, connected, services up, engine started and primed, its door open and nobody's yet."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from outrider.cleanup import to_its_end
from outrider.fleet.bring_up import BringUp, BroughtUp
from outrider.fleet.pool.plan import WarmPlan
from outrider.model.engine import EngineUpdate, ModelRef, PermissionAsk
from outrider.model.errors import OutriderError
from outrider.model.ids import SandboxId
from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT, WORKSPACE, Limits, SandboxHandle, SandboxSpec
from outrider.model.services import ServiceState
from outrider.ports.broker import Broker, Door, DoorSpec
from outrider.ports.clock import Clock
from outrider.ports.engine import Engine, EngineLaunch, EngineSession
from outrider.ports.sandbox import Guest, SandboxProvider

_log = logging.getLogger(__name__)

POOL_LABEL = "pool"
"""The label of a sandbox that is nobody's; its value says for which repository and branch it was made."""


class Deaf:
    """Nobody: hears nothing and allows nothing."""

    def update(self, update: EngineUpdate) -> None:
        """Nothing."""

    async def permission(self, ask: PermissionAsk) -> bool:
        """No."""
        return False


@dataclass(slots=True)
class Warm:
    """What a session takes over. Whoever holds it closes it; its sandbox goes on."""

    handle: SandboxHandle
    plan: WarmPlan
    guest: Guest
    door: Door
    model: ModelRef
    engine: EngineSession | None
    services: tuple[ServiceState, ...]
    start_ran: bool
    """Whether its start commands ran, and well."""
    _open: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    async def drop_engine(self) -> None:
        """Another model is wanted: its engine ends."""
        if self.engine is not None:
            engine, self.engine = self.engine, None
            await engine.close()

    async def lost(self) -> str:
        """Return, with the reason, when it is of no use any more."""
        async with asyncio.TaskGroup() as tasks:
            guest = tasks.create_task(self.guest.wait_lost(), name="warm guest")
            engine = tasks.create_task(self._engine_ended(), name="warm engine")
            await asyncio.wait({guest, engine}, return_when=asyncio.FIRST_COMPLETED)
            why = guest.result() if guest.done() else engine.result()
            guest.cancel()
            engine.cancel()
        return why

    async def close(self) -> None:
        """Close the connection and the door."""
        await self._open.aclose()

    async def _engine_ended(self) -> str:
        if self.engine is None:
            await asyncio.Event().wait()
        else:
            await self.engine.ended()
        return "Its engine ended."


@dataclass(frozen=True, slots=True)
class WarmMaker:
    """Makes warm sandboxes."""

    provider: SandboxProvider
    broker: Broker
    engine: Engine
    clock: Clock
    limits: Limits

    async def hurry(self, sandbox: SandboxId) -> None:
        """Take it out of the background."""
        for info in await self.provider.list({}):
            if info.handle.id == sandbox:
                with suppress(OutriderError):
                    await self.provider.relabel(info.handle, info.labels)

    async def make(self, sandbox: SandboxId, plan: WarmPlan, model: ModelRef, *, background: bool) -> Warm:
        """From nothing to primed; nothing is left where it fails or is cancelled. Raises OutriderError."""
        spec = SandboxSpec(
            id=sandbox,
            layers=plan.layers,
            toolbox=plan.toolbox,
            limits=self.limits.within(plan.caps),
            background=background,
            labels={POOL_LABEL: str(plan.key)},
        )
        handle = await self.provider.create(spec)
        try:
            async with AsyncExitStack() as stack:
                warm = await self._start(handle, plan, model, stack)
                warm._open = stack.pop_all()
        except BaseException:
            await to_its_end(self.provider.destroy(handle))
            raise
        return warm

    async def discard(self, warm: Warm) -> None:
        """Close and destroy it, also where the caller is cancelled. What cannot be destroyed is reaped at the next
        start."""
        try:
            await to_its_end(self._discard(warm))
        except OutriderError as error:
            _log.error("a warm sandbox could not be destroyed: %s", error)

    async def _discard(self, warm: Warm) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.provider.destroy, warm.handle)
            await warm.close()

    async def _start(self, handle: SandboxHandle, plan: WarmPlan, model: ModelRef, stack: AsyncExitStack) -> Warm:
        spec = DoorSpec(owner=POOL_LABEL, model=model, repository=plan.mirror, egress=plan.egress, unowned=True)
        door = await stack.enter_async_context(self.broker.open(spec))
        guest = await stack.enter_async_context(await self.provider.connect(handle))
        await guest.forward(BROKER_PORT, door.http)
        await guest.forward(EGRESS_PORT, door.egress)
        try:
            async with asyncio.TaskGroup() as tasks:
                starting = tasks.create_task(self._beside(guest, plan), name="warm services")
                engine = await self._primed(guest, plan, model)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        up = starting.result()
        return Warm(handle, plan, guest, door, model, engine, up.services, not up.start_failed)

    async def _beside(self, guest: Guest, plan: WarmPlan) -> BroughtUp:
        return await BringUp(guest, plan.beside, self.broker.guest_environment(), self.clock, lambda line: None).all()

    async def _primed(self, guest: Guest, plan: WarmPlan, model: ModelRef) -> EngineSession:
        environment = {**self.broker.guest_environment(), **plan.beside.environment}
        launch = EngineLaunch(model=model, workspace=WORKSPACE, environment=environment)
        engine = await self.engine.open(guest, launch, Deaf())
        await engine.prime()
        return engine
