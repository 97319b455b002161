"""Recorded sessions for looking at the web client and for its tests, made of the real models so that they stay valid.

    python scripts/web_fixture.py     writes clients/sdk/fixtures/*.json

The stories are invented; every event is one that the server could have written.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outrider.model.engine import (
    EngineSessionId,
    EngineStop,
    ModelRef,
    PermissionAsk,
    PlanEntry,
    Speaker,
    ToolCallUpdate,
    ToolContent,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
    Usage,
)
from outrider.model.events import (
    BranchPushed,
    CheckFinished,
    CheckStarted,
    EngineAttached,
    EngineFinished,
    EngineReprompted,
    Event,
    EvidenceAttached,
    PermissionDecided,
    PlanChanged,
    ProblemReported,
    ProofFinished,
    ProofRequested,
    PromptHanded,
    PromptQueued,
    PublishRequested,
    PullRequestOpened,
    Recorded,
    SandboxReady,
    SandboxRequested,
    SessionCreated,
    StageReported,
    TextSealed,
    ToolCallChanged,
    TurnEnded,
    TurnEndReason,
    TurnInterrupted,
    TurnStarted,
    UsageRecorded,
    WorkCollected,
)
from outrider.model.ids import (
    ArtifactId,
    CommitId,
    MessageId,
    PromptId,
    ProofId,
    SandboxId,
    SessionId,
    ToolCallId,
    TurnId,
)
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.proof import CaseOutcome, CaseProof, CheckResult, CheckVerdict, Phase, Proof, ProofVerdict
from outrider.model.repository import Commit, FileChange, PullRequest, PullRequestState, Repository
from outrider.model.sandbox import Isolation, LimitTier, SandboxHandle

TARGET = Path(__file__).resolve().parent.parent / "clients" / "sdk" / "fixtures"
START = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ADA = Person(name="Ada Mensah", email="ada@example.org")
JONAS = Person(name="Jonas Weber", email="jonas@example.org")
LEDGER = Repository(forge="builtin", name="ledger", source="~/code/ledger", default_branch="main")
CLAUDE = ModelRef(provider="anthropic", name="claude-sonnet-4-5")
REHEARSAL = ModelRef(provider="rehearsal", name="demo")
TEST = "tests/test_money.py"


def sha(seed: str) -> CommitId:
    """A commit hash that is the same every time."""
    return CommitId(hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest())


class Tape:
    """Events of one session in order, each some seconds after the one before."""

    def __init__(self, session: str, start: datetime = START) -> None:
        self.session = SessionId(session)
        self.events: list[Recorded] = []
        self._at = start
        self._calls = 0
        self._messages = 0

    def add(self, event: Event, after_seconds: float = 0.1) -> None:
        """One more event."""
        self._at += timedelta(seconds=after_seconds)
        self.events.append(Recorded(seq=len(self.events) + 1, at=self._at, event=event))

    def say(self, turn: str, *segments: str, speaker: Speaker = Speaker.AGENT) -> None:
        """A message of the agent in sealed segments."""
        self._messages += 1
        offset = 0
        for text in segments:
            message = MessageId(f"m-{self._messages}")
            self.add(TextSealed(turn=TurnId(turn), message=message, speaker=speaker, offset=offset, text=text), 1.4)
            offset += len(text)

    def call(  # noqa: PLR0913  the parts of a tool call
        self,
        turn: str,
        title: str,
        kind: ToolKind,
        *,
        given: object = None,
        content: Sequence[ToolContent] = (),
        seconds: float = 0.2,
        paths: tuple[str, ...] = (),
        failed: bool = False,
    ) -> None:
        """A tool call from its beginning to its end."""
        self._calls += 1
        tool_call = ToolCallId(f"call-{self._calls}")

        def change(update: ToolCallUpdate, after: float) -> None:
            self.add(ToolCallChanged(turn=TurnId(turn), update=update), after)

        begun = ToolCallUpdate(tool_call=tool_call, title=title, kind=kind, status=ToolStatus.PENDING, paths=paths)
        change(begun, 0.6)
        if kind in (ToolKind.EDIT, ToolKind.EXECUTE):
            ask = PermissionAsk(tool_call=tool_call, title=title, kind=kind)
            self.add(PermissionDecided(turn=TurnId(turn), ask=ask, allowed=True), 0.02)
        running = ToolCallUpdate(tool_call=tool_call, status=ToolStatus.IN_PROGRESS, input=json.dumps(given, indent=2))
        change(running, 0.05)
        status = ToolStatus.FAILED if failed else ToolStatus.COMPLETED
        change(ToolCallUpdate(tool_call=tool_call, status=status, content=tuple(content)), seconds)

    def plan(self, turn: str, done: int, *lines: str) -> None:
        """The plan with its first `done` lines done and the next one under way."""
        entries = tuple(
            PlanEntry(text=line, status="completed" if i < done else "in_progress" if i == done else "pending")
            for i, line in enumerate(lines)
        )
        self.add(PlanChanged(turn=TurnId(turn), entries=entries), 0.3)

    def usage(self, turn: str, tokens_in: int, tokens_out: int, cost: float | None) -> None:
        """One call of the model."""
        self._calls += 1
        usage = Usage(
            call=f"llm-{self._calls}",
            model="claude-sonnet-4-5",
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cache_read_tokens=tokens_in * 3,
            cost_usd=cost,
        )
        self.add(UsageRecorded(turn=TurnId(turn), usage=usage), 0.01)

    def prompt(self, prompt: str, text: str, person: Person = ADA, via: str = "web") -> None:
        """A person's prompt."""
        author = Author(person=person, via=via)
        self.add(PromptQueued(prompt=Prompt(id=PromptId(prompt), author=author, text=text)), 2.0)

    def prepare(self, sandbox: str, *, warm: bool = False) -> None:
        """A sandbox and the stages until it is ready."""
        self.add(SandboxRequested(sandbox=SandboxId(sandbox)))
        stages = [("sandbox", "Leased a warm sandbox", 0.04)] if warm else COLD_STAGES
        for stage, text, seconds in stages:
            self.add(StageReported(stage=stage, text=text, seconds=seconds), seconds)
        handle = SandboxHandle(id=SandboxId(sandbox), provider="namespaces")
        ready = SandboxReady(
            handle=handle,
            isolation=Isolation.SHARED_KERNEL,
            limit_tier=LimitTier.CGROUP,
            commit=sha("base"),
            seconds=sum(stage[2] for stage in stages),
        )
        self.add(ready)

    def begin(self, turn: str, prompt: str, how: str = "new") -> None:
        """A turn up to the handing of its prompt."""
        self.add(TurnStarted(turn=TurnId(turn), prompt=PromptId(prompt)))
        session = EngineSessionId("ses_4f1c")
        self.add(EngineAttached.model_validate({"engine": "opencode", "engine_session": session, "how": how}), 0.4)
        self.add(PromptHanded(turn=TurnId(turn), attempt=1, round=1))

    def write(self) -> None:
        """The file of this session."""
        rows = [json.loads(event.model_dump_json()) for event in self.events]
        path = TARGET / f"{self.session}.json"
        path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", "utf-8")


COLD_STAGES = [
    ("image", "Built the image of ledger at 41c3f0a", 21.4),
    ("clone", "Fetched main", 0.31),
    ("setup", "Ran `uv sync`", 3.86),
    ("engine", "Started OpenCode 1.18", 1.92),
]

MONEY_DIFF = """\
--- a/src/ledger/money.py
+++ b/src/ledger/money.py
@@ -1,7 +1,7 @@
 \"\"\"Amounts of money, exact to the cent.\"\"\"
 
 from dataclasses import dataclass
-from decimal import Decimal
+from decimal import ROUND_HALF_EVEN, Decimal
 
 CENT = Decimal("0.01")
 
@@ -18,13 +18,20 @@ class Money:
     def __add__(self, other: "Money") -> "Money":
         return Money(self.amount + other.amount, self.currency)
 
-    def split(self, parts: int) -> list["Money"]:
-        share = round(self.amount / parts, 2)
-        return [Money(share, self.currency) for _ in range(parts)]
+    def split(self, parts: int) -> list["Money"]:
+        \"\"\"Equal shares whose sum is exactly this amount: the first shares carry the odd cents.\"\"\"
+        if parts < 1:
+            raise ValueError(f"cannot split into {parts} parts")
+        cents = int(self.amount / CENT)
+        share, odd = divmod(cents, parts)
+        return [
+            Money((share + (1 if i < odd else 0)) * CENT, self.currency)
+            for i in range(parts)
+        ]
 
     def rounded(self) -> "Money":
-        return Money(round(self.amount, 2), self.currency)
+        return Money(self.amount.quantize(CENT, ROUND_HALF_EVEN), self.currency)
"""

TEST_DIFF = """\
--- a/tests/test_money.py
+++ b/tests/test_money.py
@@ -14,3 +14,17 @@ def test_add() -> None:
 def test_rounded() -> None:
     assert Money(Decimal("1.005"), "EUR").rounded().amount == Decimal("1.00")
+
+
+@pytest.mark.parametrize("parts", [3, 7, 11])
+def test_split_keeps_every_cent(parts: int) -> None:
+    whole = Money(Decimal("100.00"), "EUR")
+    shares = whole.split(parts)
+    assert sum((s.amount for s in shares), Decimal(0)) == whole.amount
+
+
+def test_split_gives_odd_cents_to_the_first() -> None:
+    shares = [s.amount for s in Money(Decimal("0.05"), "EUR").split(3)]
+    assert shares == [Decimal("0.02"), Decimal("0.02"), Decimal("0.01")]
"""

PYTEST_RED = (
    "$ uv run pytest -q tests/test_money.py\n\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[31mF\x1b[0m\x1b[32m.."
    "\x1b[0m                                                                   [100%]\n"
    "=================================== FAILURES ===================================\n"
    "\x1b[31m\x1b[1m________________________ test_split_keeps_every_cent[3] _________________________\x1b[0m\n"
    "\x1b[1m\x1b[31mE       AssertionError: assert Decimal('99.99') == Decimal('100.00')\x1b[0m\n\n"
    "\x1b[31mtests/test_money.py\x1b[0m:22: AssertionError\n"
    "\x1b[31m========================= \x1b[1m4 failed\x1b[0m, \x1b[32m2 passed\x1b[0m\x1b[31m in 0.11s"
    " =========================\x1b[0m\n"
)

PYTEST_GREEN = (
    "\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[32m.\x1b[0m"
    "                                                                   [100%]\n\x1b[32m\x1b[1m6 passed\x1b[0m"
    "\x1b[32m in 0.06s\x1b[0m\n"
)

BODY = """\
`Money.split` rounded each share by itself, so three shares of €100.00 summed to €99.99. It now works in whole cents
and gives the odd ones to the first shares.

- `split` refuses fewer than one part instead of dividing by zero.
- `rounded` says its rounding mode (half even, as the bank's export does) instead of relying on the context.
"""

CASES = (
    *(f"{TEST}::test_split_keeps_every_cent[{parts}]" for parts in (3, 7, 11)),
    f"{TEST}::test_split_gives_odd_cents_to_the_first",
)


def result(  # noqa: PLR0913  the parts of a check's result
    name: str,
    command: str,
    phase: Phase,
    code: int,
    seconds: float,
    counts: tuple[int, int, int, int] | None = None,
    tail: str = "",
) -> CheckResult:
    """One check in one phase."""
    passed, failed, errors, skipped = counts or (None, None, None, None)
    return CheckResult(
        name=name,
        phase=phase,
        commit=sha("head") if phase is Phase.AFTER else sha("base"),
        tests_from=sha("head") if phase is Phase.BEFORE else None,
        command=command,
        exit_code=code,
        seconds=seconds,
        passed=passed,
        failed=failed,
        errors=errors,
        skipped=skipped,
        verdict=CheckVerdict.FAILED if code else CheckVerdict.PASSED,
        log=ArtifactId(f"a-{name}{phase.value}log"),
        log_bytes=18_400 if code else 4_210,
        tail=tail,
    )


PYTEST = "uv run pytest -q --junitxml=report.xml"
RESULTS = (
    result("tests", PYTEST, Phase.BASE, 0, 2.31, (214, 0, 0, 2)),
    result("tests", PYTEST, Phase.BEFORE, 1, 2.44, (214, 4, 0, 2), PYTEST_RED[-480:]),
    result("tests", PYTEST, Phase.AFTER, 0, 2.36, (218, 0, 0, 2), PYTEST_GREEN),
    result("types", "uv run mypy src", Phase.BASE, 0, 6.02),
    result("types", "uv run mypy src", Phase.AFTER, 0, 5.87, tail="Success: no issues found in 31 source files\n"),
    result("lint", "uv run ruff check .", Phase.BASE, 0, 0.09),
    result("lint", "uv run ruff check .", Phase.AFTER, 0, 0.08, tail="All checks passed!\n"),
)
FIX_PROVED = Proof(
    id=ProofId("p-aaaa2222bb"),
    base=sha("base"),
    head=sha("head"),
    verdict=ProofVerdict.FIX_PROVED,
    summary="4 tests failed before the change and pass after it; all 3 checks pass at the head.",
    results=RESULTS,
    red_to_green=tuple(
        CaseProof(check="tests", case=case, before=CaseOutcome.FAILED, after=CaseOutcome.PASSED) for case in CASES
    ),
    recipe_source="outrider.toml",
)
COMMITS = (
    Commit(sha=sha("test"), author=ADA, subject="Show that split loses a cent"),
    Commit(sha=sha("head"), author=ADA, subject="Split money in whole cents, so that no cent is lost"),
)
FILES = (
    FileChange(path="src/ledger/money.py", added=11, deleted=5),
    FileChange(path="tests/test_money.py", added=13, deleted=0),
)
PULL = PullRequest(
    repository="ledger",
    number=12,
    url="/pulls/ledger/12",
    title="Split money in whole cents, so that no cent is lost",
    body=BODY,
    author=ADA,
    base_branch="main",
    head_branch="outrider/s-k4q7ab2xyz/split-cents",
    base_commit=sha("base"),
    head_commit=sha("head"),
    state=PullRequestState.OPEN,
    session="s-k4q7ab2xyz",
    opened_at=START + timedelta(minutes=2),
)
PLAN = (
    "Reproduce the lost cent in a test",
    "Split in whole cents",
    "Say the rounding mode",
    "Run the suite",
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


GREP = (
    "src/ledger/report.py:41:    shares = total.split(len(owners))\nsrc/ledger/invoice.py:88:    return due.split(3)\n"
)
REPRODUCED = """\
Reproduced: three shares of €100.00 sum to **€99.99**. `split` rounds each share by itself:

```python
share = round(self.amount / parts, 2)
return [Money(share, self.currency) for _ in range(parts)]
```

Working in whole cents and handing the odd ones to the first shares keeps the sum exact.
"""
SUMMARY = """\
`Money.split` now works in whole cents, so the shares always sum to the whole.

| amount | parts | before | after |
|---|---:|---|---|
| €100.00 | 3 | 33.33 + 33.33 + 33.33 | 33.34 + 33.33 + 33.33 |
| €0.05 | 3 | 0.02 + 0.02 + 0.02 | 0.02 + 0.02 + 0.01 |

I also made `rounded` say its rounding mode, since `invoice.py` relied on the default context. \
See [the docs of decimal](https://docs.python.org/3/library/decimal.html).
"""


def live_session() -> Tape:
    """A fix proved, its pull request open, a second turn running and two prompts waiting."""
    tape = Tape("s-k4q7ab2xyz")
    created(tape, "Shares lose a cent")
    tape.prompt(
        "q-aaaa", "Splitting €100 three ways gives €99.99 in the monthly report. Find out why and fix it, with a test."
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
    second_turn(tape)
    return tape


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
        "And check the CSV export: amounts there have three decimals for some currencies, which the bank's importer refuses.",
        JONAS,
        "slack",
    )
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
    tape.add(EngineReprompted(turn=TurnId("t-aaaa"), round=2, text="The check `tests` is red: 1 failed."))
    tape.usage("t-aaaa", 9_000, 800, None)
    tape.add(
        TurnEnded(
            turn=TurnId("t-aaaa"),
            reason=TurnEndReason.FAILED,
            message="The checks are still red after 3 rounds, so no pull request was opened. The work is on the session's branch.",
        )
    )
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


def main() -> None:
    """Write every story."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for story in (live_session, red_session, rehearsal_session):
        story().write()


if __name__ == "__main__":
    main()
