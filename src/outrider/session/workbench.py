"""The workbench: what this process holds for one awake session while it works.

Nothing of it is state: after a restart it is empty, and the effects that are pending fill it again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from outrider.model.commands import Command
from outrider.model.effects import Effect
from outrider.model.ids import TurnId
from outrider.ports.clock import Clock
from outrider.session.actor import Actor
from outrider.session.link import Link
from outrider.session.policy import Policy
from outrider.session.state import State
from outrider.session.stopwatch import Stopwatch
from outrider.session.tool_logs import ToolLogs
from outrider.session.world import World

Perform = Callable[[Effect, "Workbench", Actor], Awaitable[Command]]


class Workbench:
    """Implements `outrider.session.actor.Bench`."""

    link: Link
    deaths: int
    """How often in a row the engine broke in the middle of a turn that nobody stopped."""
    watch: Stopwatch
    """Of the start that is under way."""
    quiet: asyncio.Event
    """Set while no engine works on a prompt."""

    def __init__(self, world: World, policy: Policy, perform: Perform, committed: Callable[[Actor], None]) -> None:
        self.world = world
        self.policy = policy
        self.link = Link()
        self.logs = ToolLogs(world.engine)
        self.deaths = 0
        self.watch = Stopwatch(world.clock)
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._perform = perform
        self._committed = committed
        self._changed = asyncio.Event()

    @property
    def clock(self) -> Clock:
        """By which everything in the session goes."""
        return self.world.clock

    @property
    def idle_seconds(self) -> float:
        """After this long without a turn the sandbox goes to sleep: the operator's time, or the repository's shorter
        one."""
        return min(self.policy.idle_seconds, self.link.caps.idle_seconds or self.policy.idle_seconds)

    async def perform(self, effect: Effect, actor: Actor) -> Command:
        """Carry an effect out and return its answer."""
        return await self._perform(effect, self, actor)

    def committed(self, actor: Actor) -> None:
        """Told after every commit."""
        self._changed.set()
        self._changed = asyncio.Event()
        if actor.state.turn is None:
            self.world.turns.leave(actor.state.session)
        self._committed(actor)

    async def until(self, actor: Actor, reached: Callable[[State], bool]) -> State:
        """Wait for a state of the session."""
        while not reached(actor.state):
            await self._changed.wait()
        return actor.state

    async def synced(self, actor: Actor, turn: TurnId) -> State:
        """Wait for the workspace to be synced, or for this turn to end or be stopped."""
        return await self.until(
            actor,
            lambda state: state.synced or not (state.turn and state.turn.id == turn and state.turn.well),
        )
