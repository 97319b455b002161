"""Events of a session's queue beyond the coming and going of prompts. Part of `model.events`."""

from typing import Literal

from pydantic import Field

from outrider.model.attachment import MOST_ATTACHMENTS, Attachment
from outrider.model.base import Model
from outrider.model.ids import PromptId
from outrider.model.person import Person
from outrider.model.prompt import PromptText


class PromptEdited(Model):
    """A waiting prompt says something else now. `author` sent it, `by` changed it."""

    type: Literal["prompt_edited"] = "prompt_edited"
    prompt: PromptId
    revision: int = Field(ge=2, description="Counts the texts that the prompt has had; 1 is what was sent")
    text: PromptText
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=MOST_ATTACHMENTS)
    author: Person
    by: Person


class KeyUsed(Model):
    """What follows at once was asked for under this key: the same again is answered as before and not done twice."""

    type: Literal["key_used"] = "key_used"
    key: str = Field(max_length=100)
    digest: str = Field(max_length=64, description="Of what was asked for")
    by: Person
