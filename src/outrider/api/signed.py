"""Requests of code hosts. No login comes with them: a signature over the body says that they know the secret."""

import asyncio
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from outrider.api.parts import UseParts
from outrider.model.errors import BadRequest, NotAllowed, Refused
from outrider.model.limits import FIXED, limit_reached
from outrider.model.push import Push

LONGEST_BODY_BYTES = 4 << 20
"""A push of 2,000 commits, the most that are told of, has about 2 MB."""


async def signed_push(parts: UseParts, request: Request) -> Push | None:
    """The push of a signed request; None for an event of another kind. There is no other way to the body. Raises
    Refused where no secret is set, BadRequest, LimitReached, NotAllowed, TooManyAttempts."""
    hooks = parts.hooks
    if not hooks.secret:
        raise Refused("Push webhooks are not set up here.", "Set OUTRIDER_WEBHOOK_SECRET, and start again.")
    spoken = next((known for known in hooks.formats if known.speaks(request.headers)), None)
    if spoken is None:
        raise BadRequest("This is no webhook that is known here.", "Send pushes as GitHub or GitLab does.")
    body = await _body(request)
    if not await asyncio.to_thread(spoken.is_signed, request.headers, body, hooks.secret):
        # A right signature is never turned away for the wrong ones of others: behind a tunnel all have one address.
        address = request.client.host if request.client else ""
        hooks.attempts.expect_few(address)
        hooks.attempts.note(address)
        raise NotAllowed("The signature does not fit.", "Use the value of OUTRIDER_WEBHOOK_SECRET as its secret.")
    return await asyncio.to_thread(spoken.read, request.headers, body)


SignedPush = Annotated[Push | None, Depends(signed_push)]


async def _body(request: Request) -> bytes:
    """Raises LimitReached beyond the longest, before more than that is in memory."""
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > LONGEST_BODY_BYTES:
            raise limit_reached(f"A webhook's body may have {LONGEST_BODY_BYTES >> 20} MB.", "", FIXED)
    return bytes(whole)
