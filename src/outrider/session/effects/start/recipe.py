"""The recipe that a session's sandbox is made and set up by: that of its base commit."""

from outrider.model.commands import Report
from outrider.model.errors import RecipeError
from outrider.model.events import ProblemReported
from outrider.model.ids import CommitId
from outrider.proof.recipe import Recipe
from outrider.session.actor import Actor
from outrider.session.workbench import Workbench


async def read_or_tell(bench: Workbench, actor: Actor) -> Recipe:
    """The recipe of the base commit. A wrong one is said, and the session goes on so that the agent can mend it."""
    try:
        return await read(bench, actor, actor.state.created.base_commit)
    except RecipeError as error:
        await actor.ask(Report(ProblemReported(sentence=error.sentence, remedy=error.remedy)))
        return Recipe(source="")


async def read_or_nothing(bench: Workbench, actor: Actor, commit: CommitId) -> Recipe:
    """The recipe of a commit; an empty one where it is wrong."""
    try:
        return await read(bench, actor, commit)
    except RecipeError:
        return Recipe(source="")


async def read(bench: Workbench, actor: Actor, commit: CommitId) -> Recipe:
    """The recipe of a commit, read on our side. Raises RecipeError, RepositoryError."""
    repository = actor.state.created.repository
    return await bench.world.recipes.read(repository, bench.world.forge(repository.forge).mirror(repository), commit)
