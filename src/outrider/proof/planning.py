"""What a recipe says about a repository's image, as plain values for the fleet."""

from collections.abc import Callable
from pathlib import Path

from outrider.model.egress import EgressPolicy
from outrider.model.ids import CommitId
from outrider.model.image import BuildPlan
from outrider.model.repository import Repository
from outrider.proof.recipe import Recipe
from outrider.proof.recipes import Recipes

Mirror = Callable[[Repository], Path]
"""The bare repository that holds what the forge has."""


class RecipePlanner:
    """Implements `outrider.fleet.images.making.Planner`."""

    def __init__(self, recipes: Recipes, mirror: Mirror) -> None:
        self._recipes = recipes
        self._mirror = mirror

    async def recipe(self, repository: Repository, commit: CommitId) -> Recipe:
        """The recipe of a commit. Raises RecipeError, LimitReached, RepositoryError."""
        return await self._recipes.read(repository, self._mirror(repository), commit)

    async def plan(self, repository: Repository, commit: CommitId) -> BuildPlan:
        """What it says about the image."""
        recipe = await self.recipe(repository, commit)
        return BuildPlan(
            wants=recipe.wants(),
            setup=recipe.setup,
            setup_timeout_seconds=recipe.setup_timeout_seconds,
            beside=recipe.beside(repository.name),
            caps=recipe.limits,
            egress=EgressPolicy.of(repository.name, recipe.egress),
        )
