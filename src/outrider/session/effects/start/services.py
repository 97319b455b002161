"""What the repository's recipe has running beside the work: databases and daemons."""

from outrider.ports.sandbox import Guest
from outrider.proof.recipe import Recipe
from outrider.session.actor import Actor
from outrider.session.workbench import Workbench


async def start_services(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> None:
    """Nothing yet. Called at each start of the sandbox before anything may be edited or run, the engine reading
    beside it."""
