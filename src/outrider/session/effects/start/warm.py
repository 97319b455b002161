"""A warm sandbox from the pool."""

from outrider.model.effects import StartSandbox
from outrider.session.actor import Actor
from outrider.session.found import Found
from outrider.session.workbench import Workbench


async def warm(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """None: there is no pool yet."""
    return None
