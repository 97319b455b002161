"""Have the checks run in clean sandboxes."""

from outrider.model.commands import Command, ProofEnded, Report
from outrider.model.effects import Prove
from outrider.model.events import CheckFinished, CheckStarted, StageReported
from outrider.proof.runner import ProofRequest
from outrider.session.actor import Actor
from outrider.session.workbench import Workbench


async def prove(effect: Prove, bench: Workbench, actor: Actor) -> Command:
    """Answers with the proof. Cancelling it destroys its sandboxes."""
    created = actor.state.created
    request = ProofRequest(
        proof=effect.proof,
        session=created.session,
        repository=created.repository.name,
        base=created.base_commit,
        head=effect.head,
    )

    async def report(event: CheckStarted | CheckFinished | StageReported) -> None:
        await actor.ask(Report(bench.world.redactor.value(event)))

    return ProofEnded(await bench.world.prover.prove(request, report))
