"""What requests about images carry and answers hold."""

from pydantic import Field

from outrider.model.base import Model
from outrider.model.image import BaseState, Build, Collected, Renewed, RepositoryImage


class BranchImages(Model):
    """How a branch of a repository is served: its newest usable image, and its newest build."""

    repository: str
    branch: str
    image: RepositoryImage | None = Field(description="None: sessions start cold")
    build: Build | None = None


class ImageList(Model):
    """Branches with an image or a build, by name. `builds_here` is False where none are built."""

    images: tuple[BranchImages, ...]
    builds_here: bool
    collected: Collected | None = Field(
        default=None, description="When old layers were last deleted, since the server's start"
    )


class BaseList(Model):
    """Bases of sandboxes."""

    bases: tuple[BaseState, ...]


class RenewalList(Model):
    """What came of renewing each base."""

    renewed: tuple[Renewed, ...]


class NewBuild(Model):
    """Ask for a build."""

    repository: str = Field(min_length=1, max_length=4096, description="Path, URL, or the name of a known repository")
    branch: str | None = Field(default=None, max_length=200, description="The default branch where none is named")
    full: bool = Field(default=False, description="From the machine image, not on the last image of the branch")


class BuildAnswer(Model):
    """A build as it is now."""

    build: Build


class BuildList(Model):
    """Builds, newest first."""

    builds: tuple[Build, ...]
