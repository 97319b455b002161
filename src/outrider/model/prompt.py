"""A person's prompt."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outrider.model.base import Model
from outrider.model.errors import BadRequest, LimitReached
from outrider.model.ids import PromptId
from outrider.model.person import Author, Person

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt, in UTF-8 bytes. A longer text belongs in a file of the repository."""

PromptText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_BYTES)]


def check_prompt_text(text: str) -> str:
    """The text, where it can be a prompt. Raises BadRequest for an empty one, LimitReached for one that is too long."""
    if not text.strip():
        raise BadRequest("The prompt is empty.", "Say what should be done.")
    size = len(text.encode())
    if size > MAX_PROMPT_BYTES:
        raise LimitReached(
            f"The prompt is {size:,} bytes long; {MAX_PROMPT_BYTES:,} is the most.",
            "Put long text into a file of the repository and name that file.",
        )
    return text


class Prompt(Model):
    """One message of a person, queued and then answered by one turn. `key` makes sending it twice harmless."""

    id: PromptId
    author: Author
    text: PromptText
    key: str | None = Field(default=None, max_length=100)
    revision: int = Field(default=1, ge=1, description="Counts the texts that it has had while it waited")
    edited_by: Person | None = Field(default=None, description="Who gave it its present text, where it was edited")
