"""What warm sandboxes are made from: the newest image of a branch, and what the recipe of its commit has running."""

from collections.abc import Sequence

from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.pool.plan import WarmPlan
from outrider.model.egress import EgressPolicy
from outrider.model.errors import NotFound, RecipeError
from outrider.model.pool import PoolKey
from outrider.model.repository import Repository
from outrider.ports.forge import Forge
from outrider.proof.recipe import Recipe
from outrider.proof.recipes import Recipes


class RecipeWarmPlans:
    """Implements `outrider.fleet.pool.plan.WarmPlans`."""

    def __init__(self, images: RepositoryImages, forge: Forge, recipes: Recipes) -> None:
        self._recipes = recipes
        self._images = images
        self._forge = forge

    async def plan(self, key: PoolKey) -> WarmPlan | None:
        """The plan of the newest image. Raises NotFound where the forge does not know the repository."""
        image = await self._images.newest(key.repository, key.branch)
        if image is None:
            return None
        repository = await self._repository(key.repository)
        mirror = self._forge.mirror(repository)
        try:
            recipe = await self._recipes.read(repository, mirror, image.commit)
        except RecipeError:  # its sessions say so
            recipe = Recipe(source="")
        return WarmPlan(
            key=key,
            build=image.build,
            commit=image.commit,
            layers=image.layers,
            toolbox=image.toolbox,
            mirror=mirror,
            beside=recipe.beside(key.repository),
            caps=recipe.limits,
            egress=EgressPolicy.of(key.repository, recipe.egress),
            target=recipe.warm,
        )

    async def fixed(self) -> Sequence[PoolKey]:
        """The default branches whose recipe names a number."""
        kept = []
        for repository in await self._forge.repositories():
            key = PoolKey(repository=repository.name, branch=repository.default_branch)
            plan = await self.plan(key)
            if plan and plan.target:
                kept.append(key)
        return kept

    async def _repository(self, name: str) -> Repository:
        found = [repository for repository in await self._forge.repositories() if repository.name == name]
        if not found:
            raise NotFound(f"There is no repository {name}.")
        return found[0]
