"""Transcripts: a session's whole story to take away."""

from collections.abc import AsyncIterator
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from outrider.api.parts import UseParts
from outrider.model.ids import SessionId
from outrider.session.export import json_lines, markdown

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


class TranscriptFormat(StrEnum):
    """`markdown` is for people, `json` has every event as it is stored, one a line."""

    MARKDOWN = "markdown"
    JSON = "json"


@router.get("/{session}/transcript", response_class=StreamingResponse)
async def transcript(
    parts: UseParts,
    session: SessionId,
    form: Annotated[TranscriptFormat, Query(alias="format")] = TranscriptFormat.MARKDOWN,
) -> StreamingResponse:
    """The whole story of a session, whichever engine worked in it, as a file."""
    read = partial(parts.registry.events, session)
    await read(0, 1)
    if form is TranscriptFormat.JSON:
        return _file(json_lines(read), f"{session}.jsonl", "application/x-ndjson")
    return _file(markdown(read), f"{session}.md", "text/markdown; charset=utf-8")


def _file(content: AsyncIterator[str] | AsyncIterator[bytes], name: str, media_type: str) -> StreamingResponse:
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return StreamingResponse(content, media_type=media_type, headers=headers)
