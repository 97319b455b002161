"""What is remembered of repositories' images, of the builds that make them, and of layers' last use."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from outrider.model.ids import BuildId, LayerId
from outrider.model.image import Build, BuildState, RepositoryImage


class LayerUses(Protocol):
    """Is told when a layer that nothing names was used, so that it is not collected soon."""

    async def touch_layers(self, layers: Collection[LayerId], at: datetime) -> None:
        """These layers were used at that moment."""


class ImageCatalog(LayerUses, Protocol):
    """The truth about images; whether their layers still exist, the provider knows."""

    async def put_image(self, image: RepositoryImage) -> None:
        """Insert, or replace the one of that build."""

    async def images(self, repository: str | None = None, branch: str | None = None) -> Sequence[RepositoryImage]:
        """Of one repository (or all) and one branch of it (or all), newest first."""

    async def forget_image(self, build: BuildId) -> None:
        """Delete one. No error where it is not there."""

    async def put_build(self, build: Build) -> None:
        """Insert, or replace the one of that id."""

    async def build(self, build: BuildId) -> Build | None:
        """The build of that id."""

    async def builds(self, *, limit: int, states: Collection[BuildState] | None = None) -> Sequence[Build]:
        """In these states (or all), newest first."""

    async def trim_builds(self, keep: int) -> Sequence[BuildId]:
        """Delete builds that are over, but the newest `keep` of them. Returns those that were deleted."""

    async def layer_uses(self) -> Mapping[LayerId, datetime]:
        """The last use of every layer of which one is known."""

    async def forget_layers(self, layers: Collection[LayerId]) -> None:
        """Their last use is of no more interest."""
