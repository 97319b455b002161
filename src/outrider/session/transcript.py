"""A session's story as plain text, for an engine that lost its own memory of it."""

import asyncio
from collections import deque

from outrider.model import events as e
from outrider.model.engine import Speaker
from outrider.model.ids import PromptId
from outrider.model.prompt import Prompt
from outrider.ports.store import SessionLog

TRANSCRIPT_CHARACTERS = 40_000
"""The newest part of the story: some 10,000 tokens, a twentieth of a model's context."""

READ_AT_ONCE = 200


async def transcript(log: SessionLog) -> str:
    """What people asked, what the agent said and did, newest last. The beginning is left out where it is long."""
    parts: deque[str] = deque()
    length = after = 0
    prompts: dict[PromptId, Prompt] = {}
    while page := log.read(after, READ_AT_ONCE):
        after = page[-1].seq
        for recorded in page:
            part = _tell(recorded.event, prompts)
            parts.append(part)
            length += len(part)
        while length > TRANSCRIPT_CHARACTERS and parts:
            length -= len(parts.popleft())
        await asyncio.sleep(0)
    story = "".join(parts).strip()
    return f"This is what happened in this session before you joined it:\n\n{story}" if story else ""


def _tell(event: e.Event, prompts: dict[PromptId, Prompt]) -> str:
    match event:
        case e.PromptQueued(prompt=prompt):
            prompts[prompt.id] = prompt
        case e.PromptEdited(prompt=prompt_id, text=text, attachments=files) if prompt_id in prompts:
            prompts[prompt_id] = prompts[prompt_id].model_copy(update={"text": text, "attachments": files})
        case e.TurnStarted(prompt=prompt_id) if prompt_id in prompts:
            return _asked(prompts.pop(prompt_id))
        case e.TextSealed(speaker=Speaker.AGENT, offset=offset, text=text):
            return text if offset else f"\nYou said: {text}"
        case e.ToolCallChanged(update=update) if update.title:
            return f"\nYou used a tool: {update.title[:200]}\n"
        case e.TurnEnded(message=message):
            return f"\nThe turn ended: {message[:1000]}\n"
    return ""


def _asked(prompt: Prompt) -> str:
    files = "".join(f"\n(with the file {file.name})" for file in prompt.attachments)
    return f"\n\n{prompt.author.person.name} asked: {prompt.text[:4000]}{files}\n"
