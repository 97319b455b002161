"""What warm sandboxes are made from: the newest image of a branch, and what the recipe of its commit has running."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from outrider.app.git import ask_git
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.pool.plan import WarmPlan
from outrider.model.egress import EgressPolicy
from outrider.model.errors import NotFound, RecipeError
from outrider.model.ids import CommitId
from outrider.model.pool import PoolKey
from outrider.model.repository import Repository
from outrider.ports.forge import Forge
from outrider.proof.recipe import RECIPE_FILE, Recipe, parse_recipe


class RecipeWarmPlans:
    """Implements `outrider.fleet.pool.plan.WarmPlans`."""

    def __init__(self, images: RepositoryImages, forge: Forge) -> None:
        self._images = images
        self._forge = forge

    async def plan(self, key: PoolKey) -> WarmPlan | None:
        """The plan of the newest image. Raises NotFound where the forge does not know the repository."""
        image = await self._images.newest(key.repository, key.branch)
        if image is None:
            return None
        mirror = self._forge.mirror(await self._repository(key.repository))
        recipe = await asyncio.to_thread(read_recipe_of, mirror, image.commit)
        beside = recipe.beside(key.repository)
        return WarmPlan(
            key=key,
            build=image.build,
            commit=image.commit,
            layers=image.layers,
            toolbox=image.toolbox,
            mirror=mirror,
            services=(*beside.stack_services, *beside.services),
            environment=beside.environment,
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


@lru_cache(maxsize=256)
def read_recipe_of(mirror: Path, commit: CommitId) -> Recipe:
    """What `outrider.toml` of a commit says; nothing where there is none, or where it is wrong: its sessions say so."""
    text = ask_git("show", f"{commit}:{RECIPE_FILE}", folder=mirror)
    try:
        return parse_recipe(text.encode()) if text else Recipe(source="")
    except RecipeError:
        return Recipe(source="")
