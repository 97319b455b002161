"""What a recipe says about a repository's image, as plain values for the fleet."""

from collections.abc import Callable
from pathlib import Path

from outrider.model.egress import EgressPolicy
from outrider.model.ids import CommitId, SessionId, derived_id
from outrider.model.image import BuildPlan
from outrider.model.repository import Repository
from outrider.ports.quarantine import Quarantine
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe

Mirror = Callable[[Repository], Path]
"""The bare repository that holds what the forge has."""


class RecipePlanner:
    """Implements `outrider.fleet.images.making.Planner`. Recipes are read in a quarantine of the repository's own."""

    def __init__(self, quarantine: Quarantine, mirror: Mirror) -> None:
        self._quarantine = quarantine
        self._mirror = mirror

    async def recipe(self, repository: Repository, commit: CommitId) -> Recipe:
        """The recipe of a commit. Raises RecipeError, LimitReached, RepositoryError."""
        place = SessionId(derived_id("img", repository.name))
        await self._quarantine.open(place, self._mirror(repository), commit)
        return await read_recipe(self._quarantine, place, commit)

    async def plan(self, repository: Repository, commit: CommitId) -> BuildPlan:
        """What it says about the image."""
        recipe = await self.recipe(repository, commit)
        return BuildPlan(
            wants=recipe.wants(),
            setup=recipe.setup,
            setup_timeout_seconds=recipe.setup_timeout_seconds,
            beside=recipe.beside(repository.name),
            egress=EgressPolicy.of(repository.name, recipe.egress),
        )
