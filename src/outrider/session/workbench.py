"""The workbench: what this process holds open for one awake session, the connection to its guest and the engine in it.

Nothing of it is state: after a restart it is empty, and the effects that are pending fill it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from outrider.model.commands import Command
from outrider.model.effects import Effect
from outrider.model.ids import TurnId
from outrider.ports.engine import EngineSession
from outrider.ports.sandbox import Guest
from outrider.session.actor import Actor
from outrider.session.ear import Ear
from outrider.session.found import Found
from outrider.session.policy import Policy
from outrider.session.state import State
from outrider.session.stopwatch import Stopwatch
from outrider.session.tool_logs import ToolLogs
from outrider.session.world import World

Perform = Callable[[Effect, "Workbench", Actor], Awaitable[Command]]


class Workbench:
    """Implements `outrider.session.actor.Bench`."""

    connection: Guest | None
    found: Found
    """The sandbox that `connection` leads to."""
    engine: EngineSession | None
    ear: Ear | None
    crashed: bool
    """Whether the machine stopped under the sandbox that was there last, so that its files were given up."""
    deaths: int
    """How often in a row the engine broke in the middle of a turn that nobody stopped."""
    watch: Stopwatch
    """Of the start that is under way."""
    quiet: asyncio.Event
    """Set while no engine works on a prompt."""

    def __init__(self, world: World, policy: Policy, perform: Perform, committed: Callable[[Actor], None]) -> None:
        self.world = world
        self.policy = policy
        self.clock = world.clock
        self.connection = None
        self.engine = None
        self.logs = ToolLogs()
        self.ear = None
        self.crashed = False
        self.deaths = 0
        self.watch = Stopwatch(world.clock)
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._perform = perform
        self._committed = committed
        self._connected = asyncio.Event()
        self._changed = asyncio.Event()

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

    async def guest(self) -> Guest:
        """The connection to the guest, waited for."""
        while self.connection is None:
            await self._connected.wait()
        return self.connection

    @contextmanager
    def connected(self, guest: Guest, found: Found) -> Iterator[None]:
        """The guest is ready for as long as this lives. The engine dies with the connection."""
        self.connection, self.found, self.crashed = guest, found, False
        self._connected.set()
        try:
            yield
        finally:
            self._connected.clear()
            self.connection = None
            self.drop_engine()

    def drop_engine(self) -> None:
        """The engine is not to be spoken to again. What it said is kept."""
        if self.ear:
            self.ear.finish()
        self.engine = self.ear = None
