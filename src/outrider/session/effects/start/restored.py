"""A sandbox from the session's own snapshot."""

from outrider.model.effects import StartSandbox
from outrider.session.actor import Actor
from outrider.session.found import Found
from outrider.session.workbench import Workbench


async def restored(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """None: sessions have no snapshots yet."""
    return None
