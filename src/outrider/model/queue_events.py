"""Events of a session's queue beyond the coming and going of prompts. Part of `model.events`."""

from typing import Literal

from pydantic import AwareDatetime, Field

from outrider.model.attachment import MOST_ATTACHMENTS, Attachment
from outrider.model.base import Model, Sentence
from outrider.model.ids import PromptId, TurnId
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


class TurnHeld(Model):
    """The turn waits: as many sessions are at work as may be. It begins by itself."""

    type: Literal["turn_held"] = "turn_held"
    turn: TurnId
    since: AwareDatetime
    sentence: Sentence
    remedy: Sentence


class TurnAdmitted(Model):
    """The turn that waited may begin."""

    type: Literal["turn_admitted"] = "turn_admitted"
    turn: TurnId
    seconds: float = Field(ge=0, description="How long it had waited")


class TranscriptNearlyFull(Model):
    """The session has nearly as many events as it may have; then it takes no more prompts."""

    type: Literal["transcript_nearly_full"] = "transcript_nearly_full"
    events: int
    limit: int
