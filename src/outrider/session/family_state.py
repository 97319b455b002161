"""A session's children, as its own log knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from outrider.model.children import ChildResult, ChildSpec
from outrider.model.ids import SessionId
from outrider.model.person import Person
from outrider.model.prompt import Prompt


class ChildPhase(StrEnum):
    """Where a child is: wanted; at work; at rest; never made."""

    REQUESTED = "requested"
    WORKING = "working"
    RESTING = "resting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Child:
    """One child."""

    spec: ChildSpec
    prompts: tuple[Prompt, ...]
    """All that it was sent, the first one too."""
    phase: ChildPhase = ChildPhase.REQUESTED
    result: ChildResult | None = None
    """Of its newest rest."""
    refusal: str = ""
    stop_by: Person | None = None
    """Who wants it to stop."""

    @property
    def id(self) -> SessionId:
        """Its session."""
        return self.spec.session

    @property
    def open(self) -> bool:
        """Whether it has not come to rest."""
        return self.phase in (ChildPhase.REQUESTED, ChildPhase.WORKING)


Children = Mapping[SessionId, Child]


def open_children(children: Children) -> tuple[Child, ...]:
    """Those that have not come to rest, oldest first."""
    return tuple(child for child in children.values() if child.open)


def made_children(children: Children) -> tuple[Child, ...]:
    """Those that were not refused, oldest first."""
    return tuple(child for child in children.values() if child.phase is not ChildPhase.REFUSED)
