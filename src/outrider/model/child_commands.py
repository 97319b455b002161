"""What is asked of a session about its children. Part of `model.commands`."""

from dataclasses import dataclass, field

from outrider.model.children import ChildSpec
from outrider.model.ids import SessionId, TurnId
from outrider.model.limits import QueueRules
from outrider.model.person import Person
from outrider.model.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Caps:
    """How many sessions one may become."""

    depth: int = 2
    """Generations below the root."""
    children: int = 8
    """That one session may start."""
    tree: int = 20
    """In a whole tree, its root not counted."""


@dataclass(frozen=True, slots=True)
class SpawnChild:
    """A child session is wanted. The same child again is the same child. `turn` is the one whose engine asks; None
    where a person does. `in_tree` is how many children the whole tree has."""

    child: ChildSpec
    by: Person
    turn: TurnId | None
    in_tree: int
    caps: Caps
    rules: QueueRules = field(default_factory=QueueRules)
    """What the deployment says of prompts."""


@dataclass(frozen=True, slots=True)
class PromptChild:
    """A child is to be sent another prompt. The same key again is the same prompt."""

    child: SessionId
    prompt: Prompt
    turn: TurnId | None
    rules: QueueRules = field(default_factory=QueueRules)
    """What the deployment says of prompts."""
