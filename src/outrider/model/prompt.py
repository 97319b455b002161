"""A person's prompt."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outrider.model.base import Model
from outrider.model.ids import PromptId
from outrider.model.person import Author

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt, in UTF-8 bytes. A longer text belongs in a file of the repository."""

PromptText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_BYTES)]


class Prompt(Model):
    """One message of a person, queued and then answered by one turn. `key` makes sending it twice harmless."""

    id: PromptId
    author: Author
    text: PromptText
    key: str | None = Field(default=None, max_length=100)
