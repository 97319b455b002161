"""What people ask of a session's queue. Part of `model.commands`."""

from dataclasses import dataclass, field

from outrider.model.attachment import Attachment
from outrider.model.ids import PromptId
from outrider.model.limits import QueueRules
from outrider.model.person import Person
from outrider.model.prompt import Prompt


@dataclass(frozen=True, slots=True)
class QueuePrompt:
    """A person sends a prompt. The same key again is the same prompt. `rules` are the deployment's."""

    prompt: Prompt
    rules: QueueRules = field(default_factory=QueueRules)


@dataclass(frozen=True, slots=True)
class WithdrawPrompt:
    """A person takes a prompt back before its turn."""

    prompt: PromptId
    by: Person


@dataclass(frozen=True, slots=True)
class MovePrompt:
    """A person gives a queued prompt another place."""

    prompt: PromptId
    position: int
    by: Person


@dataclass(frozen=True, slots=True)
class EditPrompt:
    """A person gives a queued prompt another text, and other files where `attachments` is set. `revision` is the one
    that they have seen, `rules` are the deployment's."""

    prompt: PromptId
    revision: int
    text: str
    by: Person
    attachments: tuple[Attachment, ...] | None = None
    rules: QueueRules = field(default_factory=QueueRules)


@dataclass(frozen=True, slots=True)
class SteerNow:
    """A person wants this queued prompt to run at once: stop the turn, run it next."""

    prompt: PromptId
    by: Person
