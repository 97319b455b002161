"""Webhooks of code hosts."""

from fastapi import APIRouter
from pydantic import Field

from outrider.api.parts import UseParts
from outrider.api.signed import SignedPush
from outrider.model.base import Model

router = APIRouter(prefix="/api/hooks", tags=["images"])


class PushAnswer(Model):
    """What comes of a push."""

    sentence: str = Field(description="For the code host's list of deliveries")
    repositories: tuple[str, ...] = Field(default=(), description="Names of those that are looked at")


@router.post("/push", status_code=202)
async def push(parts: UseParts, told: SignedPush) -> PushAnswer:
    """A code host tells of a push, as GitHub (`X-GitHub-Event`, `X-Hub-Signature-256`) or GitLab (`X-Gitlab-Event`,
    `X-Gitlab-Token`) does. The branch is looked at soon, and its image is built where it has moved and people have
    worked on it lately. The same push again does no more than that."""
    if told is None:
        return PushAnswer(sentence="It works. Of all events only pushes are of use here.")
    names = await parts.hooks.take(told)
    if not names:
        return PushAnswer(sentence="No repository here was imported from that address.")
    if not told.branch:
        return PushAnswer(sentence="Nothing to build: a tag, or a branch that was deleted.")
    return PushAnswer(sentence=f"{told.branch} of {', '.join(names)} is looked at.", repositories=names)
