"""Proofs, pushes and pull requests: what the engine may ask for, and the answers of the world."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.ids import ProofId, derived_id
from outrider.model.limits import FIXED, limit_reached
from outrider.session.state import State, Turn, TurnPhase

MOST_PROOFS = 10
"""Proofs that an engine may ask for in one turn: each takes clean sandboxes and minutes."""


def ask_proof(state: State, command: c.AskProof) -> tuple[e.Event, ...]:
    """The engine wants the checks run. What runs or is known for this head need not run again."""
    turn = _engine_turn(state)
    _expect_head(state, command.head)
    if state.proving and state.proving.head == command.head:
        return ()
    if state.proving:
        raise Refused("The checks run on an older commit.", "Wait for them and ask again.")
    if state.head_proof:
        return ()
    if turn.proofs_asked >= MOST_PROOFS:
        sentence = f"The checks ran {MOST_PROOFS} times in this turn, which is the most."
        raise limit_reached(sentence, "They run once more at its end.", FIXED)
    return (e.ProofRequested(proof=new_proof(state), head=command.head, asked_by="engine"),)


def proof_ended(state: State, command: c.ProofEnded) -> tuple[e.Event, ...]:
    """All runs are in."""
    if state.proving is None or state.proving.proof != command.proof.id:
        return ()
    return (e.ProofFinished(proof=command.proof),)


def ask_pull_request(state: State, command: c.AskPullRequest) -> tuple[e.Event, ...]:
    """The engine wants its work published, in its own words."""
    _engine_turn(state)
    _expect_head(state, command.head)
    if not state.has_commits:
        raise Refused("There is no commit to open a pull request for.", "Commit your work first.")
    if state.publishing:
        raise Refused("The branch is being published.", "Ask again in a moment.")
    return (e.PublishRequested(head=command.head, title=command.title, body=command.body, asked_by="engine"),)


def published(state: State, command: c.Published) -> tuple[e.Event, ...]:
    """The branch stands on the forge, and whatever else went well."""
    if state.publishing is None or state.publishing.request.head != command.head:
        return ()
    events: list[e.Event] = [e.BranchPushed(branch=command.branch, head=command.head)]
    if command.pull_request:
        events.append(e.PullRequestOpened(pull_request=command.pull_request))
        if command.proof:
            events.append(e.EvidenceAttached(number=command.pull_request.number, proof=command.proof))
    if command.problem:
        events.append(e.PublishFailed(head=command.head, reason=command.problem))
    return tuple(events)


def forge_changed(state: State, command: c.ForgeChanged) -> tuple[e.Event, ...]:
    """Our pull request was merged, closed or reopened."""
    known = state.pull_request
    if known is None or known.number != command.number or known.state is command.state:
        return ()
    return (e.PullRequestChanged(number=command.number, state=command.state, by=command.by),)


def new_proof(state: State) -> ProofId:
    """The id of the proof that is requested next."""
    return ProofId(derived_id("proof", state.session, state.seq))


def _engine_turn(state: State) -> Turn:
    if state.turn is None or state.turn.phase is not TurnPhase.ENGINE:
        raise Refused("No turn of the engine runs.")
    return state.turn


def _expect_head(state: State, head: str) -> None:
    if state.head != head:
        raise Refused("The workspace has moved on.", "Ask again.")
