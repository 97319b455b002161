"""Push the branch, have a pull request for it, show the proof on it. Each step finds what an earlier try has done."""

from outrider.model.commands import Command, Published
from outrider.model.effects import Publish
from outrider.model.errors import OutriderError
from outrider.model.ids import ProofId
from outrider.model.repository import PullRequest, PullRequestDraft
from outrider.ports.forge import Forge
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.state import State
from outrider.session.workbench import Workbench


async def publish(effect: Publish, bench: Workbench, actor: Actor) -> Command:
    """Answers with what stands on the forge; what failed after the push is part of the answer."""
    state = actor.state
    forge = bench.world.forge(state.created.repository.forge)
    quarantine = bench.world.quarantine.path(state.session)
    await forge.push(state.created.repository, quarantine, effect.head, state.branch)
    opened: PullRequest | None = None
    try:
        if effect.pull_request:
            opened = await forge.open_pull_request(state.created.repository, _draft(effect, state))
            return Published(effect.head, state.branch, opened, await _show_proof(effect, state, forge, opened))
    except OutriderError as error:
        return Published(effect.head, state.branch, opened, problem=wording.sentence(str(error)))
    return Published(effect.head, state.branch)


def _draft(effect: Publish, state: State) -> PullRequestDraft:
    author = state.turn.prompt.author if state.turn else state.created.created_by
    return PullRequestDraft(
        title=effect.title,
        body=effect.body,
        author=author.person,
        base_branch=state.created.base_branch,
        head_branch=state.branch,
        session=state.session,
    )


async def _show_proof(effect: Publish, state: State, forge: Forge, opened: PullRequest) -> ProofId | None:
    if effect.proof is None or state.proof is None or state.proof.id != effect.proof:
        return None
    await forge.show_proof(opened, state.proof)
    return effect.proof
