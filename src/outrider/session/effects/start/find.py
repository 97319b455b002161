"""How a session comes by its sandbox: the first of these ways that there is."""

from collections.abc import Awaitable, Callable

from outrider.model.effects import StartSandbox
from outrider.session.actor import Actor
from outrider.session.effects.start.adopted import adopted
from outrider.session.effects.start.cold import cold
from outrider.session.effects.start.image import from_image
from outrider.session.effects.start.restored import restored
from outrider.session.effects.start.warm import warm
from outrider.session.found import Found
from outrider.session.workbench import Workbench

Way = Callable[[StartSandbox, Workbench, Actor], Awaitable[Found | None]]

WAYS: tuple[Way, ...] = (adopted, restored, warm, from_image)
"""In this order; each answers None where it does not lead anywhere. `cold` always does."""


async def find_or_make(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found:
    """A running sandbox with the session's label. Raises SandboxError."""
    for way in WAYS:
        found = await way(effect, bench, actor)
        if found is not None:
            return found
    return await cold(effect, bench, actor)
