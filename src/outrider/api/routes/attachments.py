"""Files of prompts: uploaded first, named by a prompt then, served to who sees the session."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from outrider.api.parts import UseKey, UseLogin, UseParts
from outrider.model.attachment import BYTES, TEXT, Attachment, AttachmentRef, expect_size
from outrider.model.errors import NotFound
from outrider.model.ids import AttachmentId, SessionId
from outrider.model.limits import FIXED, limit_reached

router = APIRouter(prefix="/api", tags=["attachments"])

UPLOAD_PATH = "/api/attachments"
UPLOAD_SECONDS = 900
"""A file that takes longer than this is cut off: nobody waits for it any more."""


@router.post("/attachments", status_code=201)
async def upload(
    parts: UseParts,
    login: UseLogin,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=1000)],
    key: UseKey = None,
) -> Attachment:
    """Upload a file: the body is its bytes. A prompt names it by its id; one that no prompt names is deleted after a
    day."""
    quotas, limit = parts.quotas, parts.limits.attachment_bytes
    declared = request.headers.get("content-length", "")
    expect_size(name, int(declared) if declared.isdecimal() else 0, limit)
    await quotas.expect("upload", login.person)
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            uploaded = await parts.attachments.put(name, request.stream(), limit)
    except TimeoutError:
        sentence = f"The upload took longer than {UPLOAD_SECONDS // 60} minutes, which is the most."
        raise limit_reached(sentence, "Send less.", FIXED) from None
    parts.uploads.expect_same(login.person, key, uploaded)
    await quotas.done("upload", login.person)
    return uploaded


@router.get("/sessions/{session}/attachments/{attachment}")
async def attachment(parts: UseParts, session: SessionId, attachment: AttachmentId) -> StreamingResponse:
    """A file of one of the session's prompts. Nothing that it holds runs in a browser."""
    file = (await parts.registry.state(session)).attachments.get(attachment)
    if file is None:
        raise NotFound(f"There is no attachment {attachment} in this session.")
    await parts.attachments.find(AttachmentRef(id=file.id, name=file.name))
    ascii_name = file.name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(file.name)}",
        "content-length": str(file.size),
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, max-age=31536000, immutable",
    }
    media_type = file.media_type if file.is_image or file.media_type == TEXT else BYTES
    return StreamingResponse(parts.attachments.stream(file.id), media_type=media_type, headers=headers)
