"""The queue of a session: prompts, their texts, their order."""

from fastapi import APIRouter

from outrider.api.parts import UseKey, UseLogin, UseParts, author_of, authored, find_files, new_prompt, once
from outrider.api.views import Accepted, NewPlace, NewPrompt, NewText, PromptAccepted
from outrider.model.commands import EditPrompt, MovePrompt, QueuePrompt, SteerNow, WithdrawPrompt
from outrider.model.ids import PromptId, SessionId
from outrider.session.keys import known_prompt

router = APIRouter(prefix="/api/sessions/{session}/prompts", tags=["queue"])


@router.post("", status_code=202)
async def queue_prompt(
    parts: UseParts, login: UseLogin, session: SessionId, wanted: NewPrompt, key: UseKey = None
) -> PromptAccepted:
    """Queue a prompt. The same key again is the same prompt."""
    author = authored(login, wanted.author)
    prompt = await new_prompt(parts, author, wanted.text, wanted.key or key, wanted.attachments)
    seq = await parts.registry.ask(session, QueuePrompt(prompt), login.caller)
    return PromptAccepted(prompt=known_prompt(await parts.registry.state(session), prompt), seq=seq)


@router.patch("/{prompt}")
async def edit_prompt(
    parts: UseParts, login: UseLogin, session: SessionId, prompt: PromptId, wanted: NewText, key: UseKey = None
) -> Accepted:
    """Give a queued prompt another text. Refused where somebody else has edited it since `revision`, and once its turn
    has begun."""
    files = None if wanted.attachments is None else await find_files(parts, wanted.attachments)
    command = EditPrompt(prompt, wanted.revision, wanted.text, author_of(login, wanted.author), files)
    return Accepted(seq=await parts.registry.ask(session, once(key, command), login.caller))


@router.delete("/{prompt}", status_code=204)
async def withdraw_prompt(
    parts: UseParts, login: UseLogin, session: SessionId, prompt: PromptId, key: UseKey = None
) -> None:
    """Take a prompt out of the queue."""
    await parts.registry.ask(session, once(key, WithdrawPrompt(prompt, login.person)), login.caller)


@router.post("/{prompt}/move", status_code=204)
async def move_prompt(
    parts: UseParts, login: UseLogin, session: SessionId, prompt: PromptId, place: NewPlace, key: UseKey = None
) -> None:
    """Give a queued prompt another place."""
    await parts.registry.ask(session, once(key, MovePrompt(prompt, place.position, login.person)), login.caller)


@router.post("/{prompt}/steer", status_code=204)
async def steer(parts: UseParts, login: UseLogin, session: SessionId, prompt: PromptId, key: UseKey = None) -> None:
    """Stop the running turn and run this prompt next."""
    await parts.registry.ask(session, once(key, SteerNow(prompt, login.person)), login.caller)
