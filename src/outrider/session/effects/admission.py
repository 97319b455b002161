"""Wait until the session's turn may begin, and say so where it waits."""

from outrider.model.commands import Report
from outrider.model.events import TurnAdmitted, TurnHeld
from outrider.session.actor import Actor
from outrider.session.turn_slots import Wish
from outrider.session.workbench import Workbench


async def admitted(bench: Workbench, actor: Actor) -> None:
    """Return when the turn is at work; at once where there is none. The workbench lets go of it at its end."""
    state, now = actor.state, bench.clock.now()
    turn = state.turn
    if turn is None:
        return
    wish = Wish(
        session=state.session,
        person=turn.prompt.author.person,
        since=turn.held.since if turn.held else now,
        at_once=turn.begun,
        parent=state.created.parent.session if state.created.parent else None,
    )

    async def held(sentence: str, remedy: str) -> None:
        if not turn.held:
            await actor.ask(Report(TurnHeld(turn=turn.id, since=now, sentence=sentence, remedy=remedy)))

    await bench.world.turns.enter(wish, held)
    waiting = actor.state.turn
    if waiting and waiting.id == turn.id and waiting.held:
        seconds = max((bench.clock.now() - waiting.held.since).total_seconds(), 0)
        await actor.ask(Report(TurnAdmitted(turn=turn.id, seconds=seconds)))
