"""Have the engine answer the prompt. It may read as soon as the sandbox can be reached; whatever it asks to do waits
in its ear for the sync."""

from outrider.model.commands import Command, EngineTurnEnded, HandPrompt
from outrider.model.effects import RunTurn
from outrider.model.errors import Refused
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.effects.admission import admitted
from outrider.session.effects.attachments import hand_files
from outrider.session.effects.converse import converse
from outrider.session.effects.open_engine import open_engine
from outrider.session.state import State, Turn, TurnPhase
from outrider.session.workbench import Workbench


async def run_turn(effect: RunTurn, bench: Workbench, actor: Actor) -> Command:
    """Answers when the engine is done with its round."""
    await admitted(bench, actor)
    guest = await bench.link.reached()
    turn = _expect_turn(effect, actor.state)
    told: list[str] = []
    engine = bench.link.engine
    if engine is None:
        engine, told = await open_engine(guest, turn, bench, actor)
    if not bench.world.engine.asks:
        _expect_turn(effect, await bench.synced(actor, turn.id))
    files = await hand_files(guest, turn, bench, actor)
    texts = [*told, *_moved(actor.state), *_words(turn), *wording.name_co_authors(turn.prompt)]
    await actor.ask(HandPrompt(turn.id, effect.attempt, effect.round))
    stop = await converse(engine, [*texts, *files], turn, guest, bench, actor)
    return EngineTurnEnded(turn.id, effect.round, stop)


def _expect_turn(effect: RunTurn, state: State) -> Turn:
    turn = state.turn
    if turn is None or turn.id != effect.turn or turn.phase not in (TurnPhase.ENGINE, TurnPhase.STOPPING):
        raise Refused("This turn is over.")
    return turn


def _moved(state: State) -> list[str]:
    """What an earlier round or turn may have read is old now, and it was not told."""
    return [wording.moved(state.sync.untold)] if state.sync.untold else []


def _words(turn: Turn) -> list[str]:
    """What this round asks: the person's prompt, or what is red."""
    return [turn.prompt.text] if turn.round == 1 else [turn.instruction]
