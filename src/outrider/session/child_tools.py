"""What an engine may ask about child sessions. What children write is handed on as a stranger's words."""

import asyncio
from contextlib import suppress

from outrider.model.errors import NotFound, Refused
from outrider.model.ids import SessionId
from outrider.ports.tools import ChildrenAwaited, ChildWanted
from outrider.session.actor import Actor
from outrider.session.child_words import describe_children, describe_tree
from outrider.session.decide.children import expect_child
from outrider.session.family import root_of
from outrider.session.family_state import Child, made_children
from outrider.session.spawning import Asker, Spawning
from outrider.session.state import State, TurnPhase
from outrider.session.workbench import Workbench

LONGEST_WAIT_SECONDS = 600.0
"""Of one call. Most clients of MCP give up sooner unless they hear of progress; who waits longer asks again."""


class ChildTools:
    """The part of `outrider.ports.tools.SessionTools` that speaks of other sessions."""

    def __init__(self, bench: Workbench, actor: Actor) -> None:
        self._bench = bench
        self._actor = actor
        self._spawning = Spawning(bench.world, bench.policy)

    async def spawn(self, wanted: ChildWanted) -> str:
        """Start a child in the name of whose prompt runs."""
        child = await self._spawning.spawn(self._actor.state.session, wanted, self._asker())
        return f"The session {child} has started. Wait for it with wait_for_sessions."

    async def send(self, session: str, prompt: str, key: str | None) -> str:
        """Send a child more."""
        child = expect_child(self._actor.state, SessionId(session))
        await self._spawning.send(self._actor.state.session, child.id, prompt, key, self._asker())
        return f"The session {child.id} has the prompt. Wait for it with wait_for_sessions."

    async def wait(self, awaited: ChildrenAwaited) -> str:
        """Wait until they rest, or for as long as is asked; then the same call goes on waiting."""
        turn, named = self._asker().turn, self._named(awaited.sessions)

        def done(state: State) -> bool:
            open_ones = [state.children[child.id].open for child in named]
            over = state.turn is None or state.turn.id != turn or state.turn.phase is not TurnPhase.ENGINE
            return over or (not all(open_ones) if awaited.which == "any" else not any(open_ones))

        with suppress(TimeoutError):
            async with asyncio.timeout(min(awaited.seconds, LONGEST_WAIT_SECONDS)):
                await self._bench.until(self._actor, done)
        self._asker()
        return await self._told([self._actor.state.children[child.id] for child in named])

    async def tree(self) -> str:
        """Every session of the tree."""
        members = await self._bench.world.family.members(root_of(self._actor.state))
        return describe_tree(members, self._actor.state.session)

    def _asker(self) -> Asker:
        """Raises Refused where no engine is at a prompt."""
        turn = self._actor.state.turn
        if turn is None or turn.phase is not TurnPhase.ENGINE:
            raise Refused("No turn runs.")
        return Asker(turn.prompt.author.person, turn.id)

    def _named(self, sessions: tuple[str, ...]) -> list[Child]:
        state = self._actor.state
        named = [expect_child(state, SessionId(one)) for one in dict.fromkeys(sessions)]
        found = named or list(made_children(state.children))
        if not found:
            raise NotFound("This session has started no other.", "spawn_session starts one.")
        return found

    async def _told(self, children: list[Child]) -> str:
        world, live = self._bench.world, dict[SessionId, State]()
        for child in children:
            if child.open:
                with suppress(NotFound):
                    live[child.id] = await world.family.sessions.state(child.id)
        full = world.slots.total if world.slots.in_use >= world.slots.total else None
        return describe_children(children, live, full)
