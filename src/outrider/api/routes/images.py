"""Images of repositories: which there are, what their checks say, builds with their live logs."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query

from outrider.api.image_views import BaseList, BranchImages, BuildAnswer, BuildList, ImageList, NewBuild, RenewalList
from outrider.api.live import NDJSON, LiveResponse
from outrider.api.parts import Parts, UseParts
from outrider.model.errors import NotFound
from outrider.model.ids import ID_PATTERN, BuildId
from outrider.model.image import Build, RepositoryImage
from outrider.ports.forge import unheard

router = APIRouter(prefix="/api/images", tags=["images"])

RECENT_BUILDS = 500
Id = Annotated[str, Path(pattern=ID_PATTERN, max_length=40)]
Limit = Annotated[int, Query(ge=1, le=500)]
Branch = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def images(parts: UseParts) -> ImageList:
    """Every branch that has an image or had a build lately; and when old layers were last deleted."""
    here = parts.builds.at_once > 0
    return ImageList(images=await _branches(parts), builds_here=here, collected=parts.collector.last)


@router.get("/repositories/{repository}")
async def repository_image(
    parts: UseParts, repository: Annotated[str, Path(max_length=100)], branch: Branch = None
) -> BranchImages:
    """One branch (the default one where none is named) with what the checks of its image say."""
    known = next((one for one in await parts.forge.repositories() if one.name == repository), None)
    if known is None:
        raise NotFound(f"There is no repository {repository}.", "See `outrider images` for those with images.")
    wanted = branch or known.default_branch
    found = [row for row in await _branches(parts) if (row.repository, row.branch) == (repository, wanted)]
    return found[0] if found else BranchImages(repository=repository, branch=wanted, image=None)


@router.get("/builds")
async def builds(parts: UseParts, limit: Limit = 50) -> BuildList:
    """Builds, newest first."""
    return BuildList(builds=tuple(await parts.builds.ledger.catalog.builds(limit=limit)))


@router.get("/bases")
async def bases(parts: UseParts) -> BaseList:
    """The bases of sandboxes and how old they are: ours, and those of OCI images that recipes asked for since the
    start."""
    return BaseList(bases=await parts.renewal.bases.states())


@router.post("/bases/renew")
async def renew_bases(parts: UseParts) -> RenewalList:
    """Build our own base anew and look up again what tags stand for, now. Images above a base that changed are rebuilt
    in the background. It takes a minute or more."""
    return RenewalList(renewed=tuple(await parts.renewal.renew(at_once=True)))


@router.post("/builds", status_code=202)
async def build(parts: UseParts, wanted: NewBuild) -> BuildAnswer:
    """Ask for a build of a branch's head. One that waits already is the answer."""
    repository = await parts.forge.find(wanted.repository, unheard)
    branch, _ = await parts.forge.head(repository, wanted.branch)
    made = await parts.builds.request(repository.name, branch, "asked for by a person", full=wanted.full)
    return BuildAnswer(build=made)


@router.get("/builds/{build_id}")
async def one_build(parts: UseParts, build_id: Id) -> BuildAnswer:
    """A build as it is now."""
    return BuildAnswer(build=await parts.builds.ledger.get(BuildId(build_id)))


@router.post("/builds/{build_id}/cancel")
async def cancel(parts: UseParts, build_id: Id) -> BuildAnswer:
    """Stop a build, or take it out of the queue. Answers when nothing of it runs any more."""
    return BuildAnswer(build=await parts.builds.cancel(BuildId(build_id)))


@router.get("/builds/{build_id}/log")
async def log(parts: UseParts, build_id: Id) -> LiveResponse:
    """One JSON object a line: `{"line"}` from the first, as they come, and when the build is over `{"build"}`."""
    await parts.builds.ledger.get(BuildId(build_id))
    return LiveResponse(_log(parts, BuildId(build_id)), media_type=NDJSON)


@router.get("/events")
async def events(parts: UseParts) -> LiveResponse:
    """Everything that changes from now on, one JSON object a line: `{"build", "image"}`, the image where a build has
    made one, with what its checks say."""
    return LiveResponse(_events(parts), media_type=NDJSON)


async def _log(parts: Parts, build: BuildId) -> AsyncIterator[bytes]:
    async for line in parts.builds.ledger.follow(build):
        yield json.dumps({"line": line}).encode() + b"\n"
    ended = await parts.builds.ledger.get(build)
    yield BuildAnswer(build=ended).model_dump_json().encode() + b"\n"


async def _events(parts: Parts) -> AsyncIterator[bytes]:
    async for news in parts.builds.ledger.watch():
        yield news.model_dump_json().encode() + b"\n"


async def _branches(parts: Parts) -> tuple[BranchImages, ...]:
    catalog = parts.builds.ledger.catalog
    usable = [image for image in await catalog.images() if await parts.images.is_usable(image)]
    newest = _newest(usable)
    last = _last(await catalog.builds(limit=RECENT_BUILDS))
    return tuple(
        BranchImages(repository=key[0], branch=key[1], image=newest.get(key), build=last.get(key))
        for key in sorted(newest.keys() | last.keys())
    )


def _newest(images: Sequence[RepositoryImage]) -> dict[tuple[str, str], RepositoryImage]:
    """The first of each branch."""
    return {(image.repository, image.branch): image for image in reversed(images)}


def _last(builds: Sequence[Build]) -> dict[tuple[str, str], Build]:
    """The first of each branch."""
    return {(build.repository, build.branch): build for build in reversed(builds)}
