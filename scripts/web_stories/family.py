"""A session that has started three others: one done, one at work, one that could not be started."""

from outrider.model import children as k
from outrider.model.egress import EgressPolicy
from outrider.model.events import SessionCreated
from outrider.model.ids import PromptId, SessionId
from outrider.model.person import Author
from outrider.model.prompt import Prompt
from outrider.model.repository import Repository
from web_stories.money import ADA, CLAUDE, LEDGER, sha
from web_stories.tape import Tape

PARENT = SessionId("s-family2345")
DOCS = Repository(forge="builtin", name="docs", source="/home/ada/docs", default_branch="main")


def family_session() -> Tape:
    """A turn under way that waits for two of them."""
    tape = Tape(PARENT)
    above = k.Parentage(session=SessionId("s-k4q7ab2xyz"), root=SessionId("s-k4q7ab2xyz"), depth=1)
    tape.add(
        SessionCreated(
            session=PARENT,
            title="Give amounts a currency, everywhere",
            created_by=Author(person=ADA, via="web"),
            repository=LEDGER,
            base_branch="main",
            base_commit=sha("base"),
            model=CLAUDE,
            parent=above,
        ),
        0,
    )
    tape.prompt("q-aaaa", "Amounts need a currency. Change the library, the importer and the manual.")
    tape.prepare("b-aaaa", warm=True)
    tape.begin("t-aaaa", "q-aaaa")
    tape.say("t-aaaa", "The importer and the manual do not depend on each other, so I hand them on.")
    importer = _child("importer", "Teach the importer currencies", LEDGER)
    manual = _child("manual", "Say in the manual what a currency is", DOCS)
    more = _child("more", "Look through every old report", LEDGER)
    for child in (importer, manual, more):
        tape.add(k.ChildRequested(child=child), 0.4)
        if child is more:
            tape.add(k.ChildRefused(child=child.session, reason="The disk is full. Make room."), 0.1)
        else:
            tape.add(k.ChildSpawned(child=child.session), 0.1)
    result = k.ChildResult(
        ok=True,
        reason="completed",
        summary="The fix is proved: 2 tests were red and are green.",
        answer="The importer reads ISO 4217 codes now; a line without one is taken as euro, and says so.",
        branch=f"outrider/{importer.session}/work",
        commits=2,
        head=sha("importer"),
        pull_request="http://localhost:4100/pulls/ledger/13",
        checks="fix_proved",
        cost_usd=0.0412,
    )
    tape.add(k.ChildEnded(child=importer.session, prompts=1, result=result), 40)
    tape.say("t-aaaa", "The importer is done. I wait for the manual.")
    return tape


def _child(name: str, title: str, repository: Repository) -> k.ChildSpec:
    session = SessionId(f"s-{name:a<10}")
    prompt = Prompt(id=PromptId(f"p-{name:a<10}"), author=Author(person=ADA, via=k.VIA_PARENT), text=title, key=name)
    within = (EgressPolicy.of(LEDGER.name),)
    return k.ChildSpec(
        session=session,
        title=title,
        repository=repository,
        base_branch="main",
        base_commit=sha("base"),
        model=CLAUDE,
        prompt=prompt,
        parentage=k.Parentage(session=PARENT, root=PARENT, depth=1, within=within),
    )
