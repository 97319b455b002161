"""The stories: one live, one red, one rehearsed."""

from datetime import timedelta

from outrider.model.attachment import Attachment
from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    ModelRef,
    Speaker,
    ToolCallUpdate,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
)
from outrider.model.events import (
    BranchPushed,
    CheckFinished,
    CheckStarted,
    EgressRefused,
    EngineAttached,
    EngineFinished,
    EngineReprompted,
    EvidenceAttached,
    HostAllowed,
    HostForbidden,
    KeptWork,
    ProblemReported,
    PromptEdited,
    PromptHanded,
    ProofFinished,
    ProofRequested,
    PublishRequested,
    PullRequestOpened,
    SessionCreated,
    SnapshotTaken,
    ToolCallChanged,
    TurnEnded,
    TurnEndReason,
    TurnInterrupted,
    WorkCollected,
)
from outrider.model.ids import (
    AttachmentId,
    LayerId,
    PromptId,
    ProofId,
    ToolCallId,
    TurnId,
)
from outrider.model.person import Author
from outrider.model.proof import Phase, Proof, ProofVerdict
from outrider.model.repository import FileChange, Repository
from web_stories.money import (
    ADA,
    BODY,
    CLAUDE,
    COMMITS,
    FILES,
    FIX_PROVED,
    JONAS,
    LEDGER,
    MONEY_DIFF,
    PLAN,
    PULL,
    PYTEST,
    PYTEST_GREEN,
    PYTEST_RED,
    REHEARSAL,
    REPRODUCED,
    START,
    SUMMARY,
    TEST,
    TEST_DIFF,
    result,
    sha,
)
from web_stories.tape import Tape

GREP = (
    "src/ledger/report.py:41:    shares = total.split(len(owners))\nsrc/ledger/invoice.py:88:    return due.split(3)\n"
)


def run_checks(tape: Tape, proof: Proof) -> None:
    """The checks of a proof, one after another."""
    tape.add(ProofRequested(proof=proof.id, head=proof.head, asked_by="turn_end"))
    for check in proof.results:
        tape.add(CheckStarted(proof=proof.id, phase=check.phase, name=check.name, command=check.command))
        tape.add(CheckFinished(proof=proof.id, result=check), check.seconds)
    tape.add(ProofFinished(proof=proof))


def created(tape: Tape, title: str, model: ModelRef = CLAUDE, repository: Repository = LEDGER) -> None:
    """The first event."""
    event = SessionCreated(
        session=tape.session,
        title=title,
        created_by=Author(person=ADA, via="web"),
        repository=repository,
        base_branch="main",
        base_commit=sha("base"),
        model=model,
    )
    tape.add(event, 0)


def work_on_money(tape: Tape, turn: str) -> None:
    """The agent's part of the first turn."""
    thought = "The sum of the shares is compared with the whole in the report, so the loss must be in `split`."
    tape.say(turn, thought, speaker=Speaker.THOUGHT)
    tape.say(
        turn, "I'll look at how shares are made, then ", "write a test that shows the lost cent before I touch it."
    )
    tape.plan(turn, 0, *PLAN)
    tape.call(turn, "split", ToolKind.SEARCH, given={"pattern": r"\.split\("}, content=(ToolText(text=GREP),))
    money = "src/ledger/money.py"
    read = ToolText(
        text='"""Amounts of money, exact to the cent."""\n\nfrom dataclasses import dataclass\n', truncated=True
    )
    tape.call(turn, money, ToolKind.READ, given={"path": money}, content=(read,), paths=(money,))
    test_diff = ToolDiff(path=TEST, diff=TEST_DIFF)
    tape.call(turn, TEST, ToolKind.EDIT, given={"path": TEST}, content=(test_diff,), paths=(TEST,))
    command = f"uv run pytest -q {TEST}"
    red = ToolText(text=PYTEST_RED)
    tape.call(turn, command, ToolKind.EXECUTE, given={"command": command}, content=(red,), seconds=1.31, failed=True)
    tape.say(turn, REPRODUCED)
    tape.plan(turn, 1, *PLAN)
    diff = ToolDiff(path=money, diff=MONEY_DIFF)
    tape.call(turn, money, ToolKind.EDIT, given={"path": money}, content=(diff,), paths=(money,))
    tape.plan(turn, 3, *PLAN)
    tape.call(
        turn, command, ToolKind.EXECUTE, given={"command": command}, content=(ToolText(text=PYTEST_GREEN),), seconds=1.2
    )
    tape.plan(turn, 4, *PLAN)
    tape.usage(turn, 18_240, 2_310, 0.0893)
    tape.say(turn, SUMMARY)
    tape.add(EngineFinished(turn=TurnId(turn), round=1, stop=EngineStop.END_TURN))


def live_session() -> Tape:
    """A fix proved, its pull request open, a second turn running and two prompts waiting."""
    tape = Tape("s-k4q7ab2xyz")
    created(tape, "Shares lose a cent")
    tape.prompt(
        "q-aaaa",
        "Splitting €100 three ways gives €99.99 in the monthly report. Find out why and fix it, with a test.",
        files=(
            Attachment(id=AttachmentId("f-shotshot22"), name="report in May.png", media_type="image/png", size=48_113),
            Attachment(id=AttachmentId("f-rowsrows22"), name="rows.csv", media_type="text/plain", size=2_319),
        ),
    )
    tape.prepare("b-aaaa")
    tape.begin("t-aaaa", "q-aaaa")
    work_on_money(tape, "t-aaaa")
    tape.add(WorkCollected(head=sha("head"), commits=COMMITS, files=FILES), 0.4)
    run_checks(tape, FIX_PROVED)
    tape.add(PublishRequested(head=sha("head"), title=PULL.title, body=BODY, asked_by="turn_end"))
    tape.add(BranchPushed(branch=PULL.head_branch, head=sha("head")), 0.2)
    tape.add(PullRequestOpened(pull_request=PULL), 0.1)
    tape.add(EvidenceAttached(number=12, proof=FIX_PROVED.id))
    tape.add(
        TurnEnded(
            turn=TurnId("t-aaaa"),
            reason=TurnEndReason.COMPLETED,
            message="Opened pull request 12. The fix is proved: 4 tests were red and are green.",
        )
    )
    tape.add(_kept())
    second_turn(tape)
    return tape


def _kept() -> SnapshotTaken:
    """The files after the first turn."""
    return SnapshotTaken(
        turn=TurnId("t-aaaa"),
        number=1,
        layer=LayerId("snap-aaaa"),
        layers=(LayerId("base-aaaa"),),
        commit=sha("head"),
        reason="turn",
        seconds=0.2,
        keep=20,
    )


def second_turn(tape: Tape) -> None:
    """A turn under way, with prompts behind it."""
    tape.prompt("q-bbbb", "Good. Does `invoice.py` have the same problem with percentages?", JONAS, "slack")
    tape.begin("t-bbbb", "q-bbbb", "resumed")
    tape.say("t-bbbb", "Let me check every place that multiplies an amount.")
    tape.plan("t-bbbb", 1, "Find where amounts are multiplied", "Check the rounding of discounts", "Report")
    invoice = "src/ledger/invoice.py"
    tape.call(
        "t-bbbb", invoice, ToolKind.READ, given={"path": invoice}, content=(ToolText(text="…"),), paths=(invoice,)
    )
    tape.prompt("q-cccc", "Also add a line to the changelog.", ADA)
    tape.prompt(
        "q-dddd",
        "And check the CSV export: some amounts there have three decimals, which the bank's importer refuses.",
        JONAS,
        "slack",
    )
    better = "Also add a line to the changelog, under “Fixed”."
    tape.add(PromptEdited(prompt=PromptId("q-cccc"), revision=2, text=better, author=ADA, by=JONAS))
    tape.say("t-bbbb", "`invoice.py` multiplies by a percentage in two places. ")
    update = ToolCallUpdate(
        tool_call=ToolCallId("call-last"),
        title="uv run pytest -q tests/test_invoice.py",
        kind=ToolKind.EXECUTE,
        status=ToolStatus.IN_PROGRESS,
        input='{"command": "uv run pytest -q tests/test_invoice.py"}',
    )
    tape.add(ToolCallChanged(turn=TurnId("t-bbbb"), update=update))


def red_session() -> Tape:
    """Checks stay red; tests vanished, one is skipped, a workflow was changed; the turn was cut off once."""
    tape = Tape("s-redredred2", START - timedelta(hours=5))
    created(tape, "Upgrade to Python 3.14")
    tape.prompt("q-aaaa", "Move the project to Python 3.14 and drop what no longer works.")
    tape.prepare("b-aaaa", warm=True)
    tape.begin("t-aaaa", "q-aaaa")
    tape.say("t-aaaa", "I'll raise the version and see what breaks.")
    tape.add(
        TurnInterrupted(turn=TurnId("t-aaaa"), attempt=1, reason="The server was restarted while the turn ran."), 3
    )
    tape.add(EngineAttached(engine="opencode", engine_session=EngineSessionId("ses_4f1c"), how="reseeded"))
    tape.add(PromptHanded(turn=TurnId("t-aaaa"), attempt=2, round=1))
    tape.say("t-aaaa", "Continuing. Two tests need `asyncio.get_event_loop`, which is gone; all tests pass now.")
    tape.add(
        ProblemReported(
            sentence="The model's provider answered 529 (overloaded) three times.",
            remedy="The call was repeated and then worked; set a fallback model to wait less.",
        )
    )
    tape.add(EngineFinished(turn=TurnId("t-aaaa"), round=1, stop=EngineStop.END_TURN))
    files = (
        *FILES,
        FileChange(path=".github/workflows/ci.yml", added=2, deleted=2),
        FileChange(path="logo.png", added=None, deleted=None),
    )
    tape.add(WorkCollected(head=sha("head"), commits=COMMITS[:1], files=files, leftovers_committed=True))
    run_checks(tape, RED)
    tape.add(
        EgressRefused(
            host="download.pytorch.org",
            port=443,
            why="it is not on the allow-list",
            rule="download.pytorch.org",
            allowable=True,
        )
    )
    tape.add(HostAllowed(host="docs.python.org", by=ADA, scope="session"))
    tape.add(HostAllowed(host="cdn.example.com", by=JONAS, scope="repository"))
    tape.add(HostForbidden(host="cdn.example.com", by=ADA, scope="repository"))
    tape.add(EngineReprompted(turn=TurnId("t-aaaa"), round=2, text="The check `tests` is red: 1 failed."))
    tape.usage("t-aaaa", 9_000, 800, None)
    tape.add(
        TurnEnded(
            turn=TurnId("t-aaaa"),
            reason=TurnEndReason.FAILED,
            message="The checks are still red after 3 rounds: no pull request was opened. The branch has the work.",
            kept=KeptWork(head=sha("head"), commits=1, uncommitted=2, files=("notes/upgrade.md", "scratch.py")),
        )
    )
    tape.add(_kept())
    return tape


RED = Proof(
    id=ProofId("p-redd2222bb"),
    base=sha("base"),
    head=sha("head"),
    verdict=ProofVerdict.RED,
    summary="`tests` fails at the head: 1 failed of 212.",
    results=(
        result("tests", PYTEST, Phase.BASE, 0, 2.31, (214, 0, 0, 2)),
        result("tests", PYTEST, Phase.BEFORE, 0, 2.2, (214, 0, 0, 2)),
        result(
            "tests",
            PYTEST,
            Phase.AFTER,
            1,
            2.36,
            (208, 1, 0, 3),
            "FAILED tests/test_export.py::test_csv\n1 failed, 208 passed\n",
        ),
    ),
    vanished=(f"{TEST}::test_rounded", "tests/test_export.py::test_iban"),
    newly_skipped=("tests/test_loop.py::test_runs",),
    marked_files=(".github/workflows/ci.yml",),
    recipe_source="pyproject.toml (detected)",
)


def rehearsal_session() -> Tape:
    """The demo: the scripted model on the demo repository, with no checks known."""
    tape = Tape("s-rehearsal2", START - timedelta(minutes=50))
    demo = Repository(forge="builtin", name="demo", source="demo", default_branch="main")
    created(tape, "Demo: a basket that forgets the discount", REHEARSAL, demo)
    tape.prompt("q-aaaa", "The basket's total ignores the discount. Fix it and prove it.", via="cli")
    tape.prepare("b-aaaa", warm=True)
    tape.begin("t-aaaa", "q-aaaa")
    tape.say("t-aaaa", "This is the rehearsal script: I will read the basket, write a failing test, and fix it.")
    tape.add(EngineFinished(turn=TurnId("t-aaaa"), round=1, stop=EngineStop.END_TURN))
    tape.add(WorkCollected(head=sha("head"), commits=COMMITS[1:], files=FILES))
    nothing = Proof(
        id=ProofId("p-none2222bb"),
        base=sha("base"),
        head=sha("head"),
        verdict=ProofVerdict.NOT_RUN,
        summary="No checks are known for this repository. Add an outrider.toml to say how it is tested.",
    )
    run_checks(tape, nothing)
    tape.add(
        TurnEnded(turn=TurnId("t-aaaa"), reason=TurnEndReason.COMPLETED, message="The work is on the session's branch.")
    )
    return tape
