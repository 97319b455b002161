"""Tell people what their sandbox was refused."""

from outrider.model.commands import Report
from outrider.model.egress import Refusal
from outrider.model.events import EgressRefused
from outrider.session.actor import Actor
from outrider.session.workbench import Workbench


def tell_refusal(refusal: Refusal, bench: Workbench, actor: Actor) -> None:
    """Once a host and turn. The guest chose the name, so it may hold anything, a secret too."""
    target = refusal.target
    if target.rule in actor.state.refused_hosts:
        return
    event = EgressRefused(
        host=target.host, port=target.port, why=refusal.why, rule=target.rule, allowable=refusal.allowable
    )
    actor.tell(Report(bench.world.redactor.value(event)))
