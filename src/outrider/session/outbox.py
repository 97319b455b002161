"""The outbox: which effects run. They are always those that the stored state asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from outrider.model.commands import Command
from outrider.model.effects import Effect, StopEngine
from outrider.model.ids import EffectId

GRACE_SECONDS = 10.0
"""How long a new effect waits for the end of those that were cancelled for it."""

STOP_GRACE_SECONDS = 0.5
"""How long the stop ladder does: what it is to kill includes what they have started."""


class Outbox:
    """Starts what is wanted and does not run, cancels what runs and is wanted no more. An effect is a coroutine that
    returns the command that answers it; `answered` takes the answer."""

    _running: dict[EffectId, asyncio.Task[None]]
    """By effect, for as long as it is wanted; one that is done stays until then, so that it is not begun again."""

    def __init__(
        self, owner: str, perform: Callable[[Effect], Awaitable[Command]], answered: Callable[[Command], None]
    ) -> None:
        self._owner = owner
        self._perform = perform
        self._answered = answered
        self._running = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def empty(self) -> bool:
        """Whether nothing is wanted, and nothing on its way out."""
        return not self._running and not self._ending

    def reconcile(self, wanted: Iterable[Effect], tasks: asyncio.TaskGroup) -> None:
        """Make what runs what is wanted."""
        effects = {effect.id: effect for effect in wanted}
        for effect_id in [effect_id for effect_id in reversed(self._running) if effect_id not in effects]:
            task = self._running.pop(effect_id)
            if task.cancel():
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        for effect_id, effect in effects.items():
            if effect_id not in self._running:
                carrying_out = self._carry_out(effect, set(self._ending))
                self._running[effect_id] = tasks.create_task(carrying_out, name=f"{self._owner} {effect_id}")

    def cancel(self) -> None:
        """End everything; nothing is answered any more."""
        for task in self._running.values():
            task.cancel()

    async def _carry_out(self, effect: Effect, ending: set[asyncio.Task[None]]) -> None:
        """What is no longer wanted ends before what is newly wanted begins."""
        if ending:
            grace = STOP_GRACE_SECONDS if isinstance(effect, StopEngine) else GRACE_SECONDS
            await asyncio.wait(ending, timeout=grace)
        self._answered(await self._perform(effect))
