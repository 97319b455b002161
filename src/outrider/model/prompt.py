"""A person's prompt."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outrider.model.attachment import MOST_ATTACHMENTS, Attachment, expect_few
from outrider.model.base import Model
from outrider.model.errors import BadRequest
from outrider.model.ids import PromptId
from outrider.model.limits import FIXED, PromptLimits, limit_reached
from outrider.model.limits import MAX_PROMPT_BYTES as MAX_PROMPT_BYTES
from outrider.model.person import Author, Person

PromptText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_BYTES)]


def check_prompt_text(text: str, most: int = MAX_PROMPT_BYTES) -> str:
    """The text, where it can be a prompt. Raises BadRequest for an empty one, LimitReached for one that is too long."""
    if not text.strip():
        raise BadRequest("The prompt is empty.", "Say what should be done.")
    size = len(text.encode())
    if size > most:
        setting = "OUTRIDER_LIMIT_PROMPT_BYTES" if most < MAX_PROMPT_BYTES else FIXED
        sentence = f"The prompt is {size:,} bytes long; {most:,} is the most."
        raise limit_reached(sentence, "Attach long text as a file.", setting)
    return text


class Prompt(Model):
    """One message of a person, queued and then answered by one turn. `key` makes sending it twice harmless."""

    id: PromptId
    author: Author
    text: PromptText
    key: str | None = Field(default=None, max_length=100)
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=MOST_ATTACHMENTS)
    revision: int = Field(default=1, ge=1, description="Counts the texts that it has had while it waited")
    edited_by: Person | None = Field(default=None, description="Who gave it its present text, where it was edited")


def check_prompt(prompt: Prompt, limits: PromptLimits) -> None:
    """Raises BadRequest where it is empty, LimitReached where it is more than a prompt may be."""
    check_prompt_text(prompt.text, limits.prompt_bytes)
    expect_few(len(prompt.attachments), limits.attachments)
