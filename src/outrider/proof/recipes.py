"""Recipes of commits, read once: what a commit says never changes."""

from collections import OrderedDict
from pathlib import Path

from outrider.model.ids import CommitId, SessionId, derived_id
from outrider.model.repository import Repository
from outrider.ports.quarantine import Quarantine
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe

KEPT = 500
"""Recipes that are remembered: some kB each."""


class Recipes:
    """Reads in a quarantine of the repository's own, so that nothing of a session is needed for it."""

    def __init__(self, quarantine: Quarantine, kept: int = KEPT) -> None:
        self._kept = kept
        self._quarantine = quarantine
        self._known: OrderedDict[tuple[str, CommitId], Recipe] = OrderedDict()

    async def read(self, repository: Repository, mirror: Path, commit: CommitId) -> Recipe:
        """The recipe of a commit of the mirror. Raises RecipeError, LimitReached, RepositoryError."""
        key = (str(mirror), commit)
        if key not in self._known:
            place = SessionId(derived_id("img", repository.name))
            await self._quarantine.open(place, mirror, commit)
            self._known[key] = await read_recipe(self._quarantine, place, commit)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]
