"""Repositories that the forge knows, and bringing in another one with progress."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from outrider.api.parts import Parts, UseParts
from outrider.api.views import RepositoryList
from outrider.model.base import Model
from outrider.model.errors import OutriderError

router = APIRouter(prefix="/api/repositories", tags=["repositories"])


class Import(Model):
    """Bring a repository in, or up to date."""

    source: str = Field(min_length=1, max_length=4096, description="Path, URL, or the name of a known repository")


@router.get("")
async def repositories(parts: UseParts) -> RepositoryList:
    """The repositories that the forge knows."""
    return RepositoryList(repositories=tuple(await parts.forge.repositories()))


@router.post("/import")
async def import_repository(parts: UseParts, wanted: Import) -> StreamingResponse:
    """One JSON object a line: `{"progress"}` as it goes, at last `{"repository"}` or `{"problem"}`."""
    return StreamingResponse(_import(parts, wanted.source), media_type="application/x-ndjson")


async def _import(parts: Parts, source: str) -> AsyncIterator[bytes]:
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        finding = tasks.create_task(_find(parts, source, lines), name="import-repository")
        try:
            while (line := await lines.get()) is not None:
                yield _line({"progress": line})
            yield _line(await finding)
        finally:
            finding.cancel()


async def _find(parts: Parts, source: str, lines: asyncio.Queue[str | None]) -> dict[str, object]:
    try:
        found = await parts.forge.find(source, lines.put_nowait)
    except OutriderError as error:
        return {"problem": {"sentence": error.sentence, "remedy": error.remedy}}
    else:
        return {"repository": found.model_dump(mode="json")}
    finally:
        lines.put_nowait(None)


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode() + b"\n"
