"""A backup of the whole deployment, to take away. For the owner alone."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from outrider.api.parts import UseLogin, UseParts
from outrider.model.errors import NotAllowed

router = APIRouter(prefix="/api", tags=["backup"])


@router.get("/backup", response_class=StreamingResponse)
async def backup(
    parts: UseParts,
    login: UseLogin,
    snapshots: Annotated[bool, Query(description="With the files of sandboxes")] = True,
    secrets: Annotated[bool, Query(description="With the owner's token and the logins")] = False,
) -> StreamingResponse:
    """The deployment as one tar, taken while it works; the owner's token alone may ask. Without the manifest at its end
    it was cut off: `outrider restore --check` says so."""
    if not login.may_name_author:
        raise NotAllowed("Only the owner may take a backup.", "Use the owner's token: outrider backup")
    name = "outrider-backup.tar"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    content = parts.backup(snapshots, secrets)
    return StreamingResponse(content, media_type="application/x-tar", headers=headers)
