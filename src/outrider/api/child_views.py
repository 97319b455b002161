"""What requests about child sessions carry, and answers hold."""

from typing import Literal

from pydantic import Field

from outrider.api.views import ModelName, RawPrompt, SessionSummary
from outrider.model.base import Model
from outrider.model.children import ChildResult
from outrider.model.ids import SessionId
from outrider.model.person import Person
from outrider.session.family_state import Child


class NewChild(Model):
    """Start a child session. What is left out is the parent's."""

    prompt: RawPrompt
    repository: str | None = Field(default=None, max_length=200, description="The name of a known repository")
    branch: str | None = Field(default=None, max_length=200)
    model: ModelName | None = None
    title: str | None = Field(default=None, min_length=1, max_length=200)
    key: str | None = Field(default=None, min_length=1, max_length=80, description="The same key is the same child")
    author: Person | None = Field(default=None, description="Only with the owner's token")


class NewChildPrompt(Model):
    """Send a child more."""

    text: RawPrompt
    key: str | None = Field(default=None, min_length=1, max_length=80)
    author: Person | None = Field(default=None, description="Only with the owner's token")


class ChildView(Model):
    """A child as its parent's log knows it."""

    session: SessionId
    title: str
    repository: str
    state: Literal["requested", "working", "resting", "refused"]
    prompts: int
    result: ChildResult | None
    refusal: str

    @classmethod
    def of(cls, child: Child) -> "ChildView":
        """The child as it is shown."""
        return cls(
            session=child.id,
            title=child.spec.title,
            repository=child.spec.repository.name,
            state=child.phase.value,
            prompts=len(child.prompts),
            result=child.result,
            refusal=child.refusal,
        )


class ChildList(Model):
    """The children of a session, oldest first."""

    working: bool = Field(description="Whether any has not come to rest")
    children: tuple[ChildView, ...]


class TreeNode(SessionSummary):
    """A session in its tree."""

    depth: int = Field(ge=0, description="0 for the one that nobody's session started")


class SessionTree(Model):
    """Sessions that belong together; each after its parent."""

    sessions: tuple[TreeNode, ...]
