"""Wait for a time of the wall clock."""

from outrider.model.commands import Command, TimerFired
from outrider.model.effects import WaitUntil
from outrider.session.actor import Actor
from outrider.session.workbench import Workbench

LONGEST_NAP = 60.0
"""The wall clock may be set while we sleep: look at it again."""


async def wait_until(effect: WaitUntil, bench: Workbench, actor: Actor) -> Command:
    """Answers when the time has come."""
    while (left := effect.at - bench.clock.now().timestamp()) > 0:
        await bench.clock.sleep(min(left, LONGEST_NAP))
    return TimerFired(effect.name)
