"""Made-up children for playbooks."""

from outrider.model import commands as c
from outrider.model.children import VIA_PARENT, ChildResult, ChildSpec, Parentage
from outrider.model.ids import PromptId, SessionId
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.testing.playbook import ADA, SESSION, Playbook, session_created

CHILD = SessionId("s-cccccccccc")


def child_prompt(number: int, by: Person = ADA) -> Prompt:
    """What a child is sent."""
    author = Author(person=by, via=VIA_PARENT)
    return Prompt(id=PromptId(f"p-child{'abcdefghij'[number]}"), author=author, text="do a part", key=f"key-{number}")


def child_spec(session: SessionId = CHILD, by: Person = ADA) -> ChildSpec:
    """A child of the playbook's session, in its repository."""
    created = session_created()
    return ChildSpec(
        session=session,
        title="A part",
        repository=created.repository,
        base_branch=created.base_branch,
        base_commit=created.base_commit,
        model=created.model,
        prompt=child_prompt(1, by),
        parentage=Parentage(session=SESSION, root=SESSION, depth=1),
    )


def child_result(*, ok: bool = True, reason: str = "completed") -> ChildResult:
    """What came of it."""
    return ChildResult(ok=ok, reason=reason, summary="Nothing was changed.", answer="I looked.")


def spawn(session: Playbook, child: SessionId = CHILD, by: Person = ADA) -> str:
    """The engine asks for a child."""
    turn = session.state.turn
    if turn is None:
        raise AssertionError("no turn runs")
    return session.ask(c.SpawnChild(child_spec(child, by), by, turn.id, len(session.state.children), c.Caps()))
