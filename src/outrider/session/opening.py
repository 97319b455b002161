"""How a session begins: what it is made of, its id, its first events."""

from dataclasses import dataclass
from datetime import datetime

from outrider.model.children import ChildSpec, Parentage
from outrider.model.commands import QueuePrompt
from outrider.model.engine import ModelRef
from outrider.model.events import Event, MemberJoined, Recorded, SessionCreated
from outrider.model.ids import CommitId, SessionId, derived_id, new_id
from outrider.model.limits import QueueRules
from outrider.model.membership import Member
from outrider.model.prompt import Prompt
from outrider.model.repository import Repository
from outrider.session.decide import decide
from outrider.session.fold import begin


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be made, its repository already found on the forge."""

    title: str
    repository: Repository
    base_branch: str
    base_commit: CommitId
    model: ModelRef
    prompt: Prompt
    """Its author is who created the session."""
    key: str | None = None
    """The same key of the same author again is the same session."""
    id: SessionId | None = None
    """Of a child: it is known before."""
    parent: Parentage | None = None
    members: tuple[Member, ...] = ()
    """Beside who created it."""

    @classmethod
    def of_child(cls, child: ChildSpec) -> "NewSession":
        """A session that another one starts."""
        return cls(
            title=child.title,
            repository=child.repository,
            base_branch=child.base_branch,
            base_commit=child.base_commit,
            model=child.model,
            prompt=child.prompt,
            id=child.session,
            parent=child.parentage,
            members=child.members,
        )


def session_id(new: NewSession) -> SessionId:
    """The id that it has or gets."""
    if new.id is not None:
        return new.id
    if new.key is None:
        return SessionId(new_id("s"))
    return SessionId(derived_id("s", new.prompt.author.person.email, new.key))


def first_events(session: SessionId, new: NewSession, now: datetime, rules: QueueRules) -> list[Recorded]:
    """The session with its first prompt, so that no crash comes between the two. Raises BadRequest, LimitReached."""
    created = SessionCreated(
        session=session,
        title=new.title,
        created_by=new.prompt.author,
        repository=new.repository,
        base_branch=new.base_branch,
        base_commit=new.base_commit,
        model=new.model,
        parent=new.parent,
    )
    first = Recorded(seq=1, at=now, event=created)
    by = new.prompt.author.person
    joined = [MemberJoined(person=one.person, role=one.role, guest=one.guest, by=by) for one in new.members]
    events: list[Event] = [*joined, *decide(begin(first), QueuePrompt(new.prompt, rules), now)]
    return [first, *(Recorded(seq=seq, at=now, event=event) for seq, event in enumerate(events, start=2))]
