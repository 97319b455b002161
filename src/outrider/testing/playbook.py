"""Playbooks: a session without a world. Commands in, events and effects out; a test reads as a script.

play = Playbook()
assert play.prompt("mend the parser") == "prompt_queued sandbox_requested turn_started"
assert play.wants == "StartSandbox"
assert play.sandbox_ready() == "sandbox_ready sync_finished"
assert play.wants == "StartSandbox RunTurn"
"""

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import EngineStop, ModelRef
from outrider.model.ids import CommitId, LayerId, PromptId, SessionId
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.model.proof import CheckResult, CheckVerdict, Phase, Proof, ProofVerdict
from outrider.model.repository import Commit, PullRequest, PullRequestState, Repository
from outrider.model.sandbox import Isolation, LimitTier, SandboxHandle
from outrider.session.decide import decide
from outrider.session.fold import begin, fold
from outrider.session.pending import pending
from outrider.session.state import State, Turn
from outrider.testing.manual_clock import ManualClock

ADA = Person(name="Ada", email="ada@example.org")
BOB = Person(name="Bob", email="bob@example.org")
BASE = CommitId("b" * 40)
SESSION = SessionId("s-abcdefghij")
IDLE_SECONDS = 600.0


def commit_id(number: int) -> CommitId:
    """The id of a made-up commit."""
    return CommitId(f"{number:040x}")


def session_created(session: SessionId = SESSION, base: CommitId = BASE) -> e.SessionCreated:
    """A session's first event."""
    return e.SessionCreated(
        session=session,
        title="A session",
        created_by=Author(person=ADA),
        repository=Repository(forge="builtin", name="demo", source="demo", default_branch="main"),
        base_branch="main",
        base_commit=base,
        model=ModelRef(provider="rehearsal", name="demo"),
    )


def work(head: CommitId, *subjects: str, uncommitted: int = 0) -> e.WorkCollected:
    """Commits as they come out of the quarantine; none where the head is the base."""
    commits = tuple(Commit(sha=head, author=ADA, subject=subject) for subject in subjects or ("Mend it",))
    return e.WorkCollected(head=head, commits=() if head == BASE else commits, files=(), uncommitted=uncommitted)


def proof_of(asked: e.ProofRequested, verdict: ProofVerdict, base: CommitId = BASE) -> Proof:
    """A finished proof."""
    red = verdict is ProofVerdict.RED
    result = CheckResult(
        name="tests",
        phase=Phase.AFTER,
        commit=asked.head,
        command="make test",
        exit_code=1 if red else 0,
        seconds=1.0,
        verdict=CheckVerdict.FAILED if red else CheckVerdict.PASSED,
        tail="1 failed" if red else "1 passed",
    )
    return Proof(
        id=asked.proof, base=base, head=asked.head, verdict=verdict, summary=f"It is {verdict}.", results=(result,)
    )


class Playbook:
    """One session, driven by hand. What asks something returns the types of the events that it brought about."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = [e.Recorded(seq=1, at=self.clock.now(), event=session_created())]
        self.state: State = begin(self.log[0])

    def ask(self, command: c.Command) -> str:
        """Decide, store, fold."""
        events = decide(self.state, command, self.clock.now())
        for event in events:
            self.log.append(e.Recorded(seq=self.state.seq + 1, at=self.clock.now(), event=event))
            self.state = fold(self.state, self.log[-1])
        return " ".join(event.type for event in events)

    @property
    def effects(self) -> tuple[x.Effect, ...]:
        """What the session asks of the world."""
        return pending(self.state, self.clock.now(), IDLE_SECONDS)

    @property
    def wants(self) -> str:
        """Their names."""
        return " ".join(type(effect).__name__ for effect in self.effects)

    @property
    def last(self) -> e.Event:
        """The newest event."""
        return self.log[-1].event

    def prompt(self, text: str, *, number: int = 1, key: str | None = None, by: Person = ADA) -> str:
        """A person sends a prompt; `number` makes its id."""
        return self.ask(c.QueuePrompt(Prompt(id=prompt_id(number), author=Author(person=by), text=text, key=key)))

    def sandbox_ready(self) -> str:
        """The world: the sandbox runs, and its workspace is synced."""
        return f"{sandbox_reachable(self)} {synced(self)}"

    def hand(self) -> str:
        """The world: the engine is about to be given the prompt."""
        turn = self._turn
        return self.ask(c.HandPrompt(turn.id, turn.attempt, turn.round))

    def engine_ends(self, stop: EngineStop = EngineStop.END_TURN) -> str:
        """The world: the engine is done with its round."""
        turn = self._turn
        return self.ask(c.EngineTurnEnded(turn.id, turn.round, stop))

    def collect(self, head: CommitId, *subjects: str) -> str:
        """The world: the commits were fetched."""
        return self.ask(c.Report(work(head, *subjects)))

    def prove(self, verdict: ProofVerdict) -> str:
        """The world: the checks ran."""
        if self.state.proving is None:
            raise AssertionError("no proof was asked for")
        return self.ask(c.ProofEnded(proof_of(self.state.proving, verdict)))

    def publish(self, number: int = 7) -> str:
        """The world: the branch is pushed and, where it was asked for, the pull request is open."""
        publishing = self.state.publishing
        if publishing is None:
            raise AssertionError("nothing is to be published")
        head = publishing.request.head
        opened = pull_request(self.state, number) if publishing.request.pull_request else None
        return self.ask(c.Published(head, self.state.branch, opened, publishing.proof if opened else None))

    def fail(self, kind: type[x.Effect], sentence: str, *, retry: bool = False) -> str:
        """The world: this effect could not be carried out."""
        effect = next(effect for effect in self.effects if isinstance(effect, kind))
        return self.ask(c.EffectFailed(effect, sentence, retry=retry))

    @property
    def _turn(self) -> Turn:
        if self.state.turn is None:
            raise AssertionError("no turn runs")
        return self.state.turn


def prompt_id(number: int) -> PromptId:
    """The id of a made-up prompt."""
    letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:06d}")
    return PromptId(f"p-{letters}")


def sandbox_is_ready(handle: SandboxHandle, base: CommitId = BASE) -> e.SandboxReady:
    """A sandbox with its workspace."""
    return e.SandboxReady(
        handle=handle,
        isolation=Isolation.SHARED_KERNEL,
        limit_tier=LimitTier.WATCHDOG,
        commit=base,
        seconds=0.1,
    )


def sync_is_finished(
    commit: CommitId = BASE, moved_from: CommitId | None = None, files: tuple[str, ...] = ()
) -> e.SyncFinished:
    """A workspace on its session's commit."""
    return e.SyncFinished(
        commit=commit,
        from_commit=moved_from or commit,
        moved=moved_from is not None,
        seconds=0.1,
        files=files,
        files_changed=len(files),
    )


def sandbox_reachable(session: Playbook) -> str:
    """The world: the sandbox runs and its files can be read."""
    sandbox = session.state.sandbox
    if sandbox is None:
        raise AssertionError("no sandbox was asked for")
    return session.ask(c.Report(sandbox_is_ready(SandboxHandle(id=sandbox.id, provider="fake"))))


def synced(session: Playbook, *, moved_from: CommitId | None = None, files: tuple[str, ...] = ()) -> str:
    """The world: the workspace is on the session's commit."""
    return session.ask(c.Report(sync_is_finished(session.state.base, moved_from, files)))


def snapshot_taken(session: Playbook) -> str:
    """The world: the files of the turn that has ended are kept, or those of a sandbox that sleeps."""
    effect = next(row for row in session.effects if isinstance(row, x.TakeSnapshot | x.SleepSandbox))
    return session.ask(snapshot_of(session.state, effect))


def snapshot_of(state: State, effect: x.TakeSnapshot | x.SleepSandbox) -> c.SnapshotMade:
    """What answers such an effect."""
    asleep = isinstance(effect, x.SleepSandbox)
    taken = e.SnapshotTaken(
        turn=effect.turn,
        number=state.turns - (state.turn is not None),
        layer=LayerId(f"snap-{effect.id}"),
        layers=(LayerId("base-layer"),),
        commit=state.head,
        reason="sleep" if asleep else "turn",
        seconds=0.1,
        keep=3,
    )
    return c.SnapshotMade(taken, asleep=effect.sandbox if asleep else None)


def snapshot_stored(session: Playbook) -> str:
    """The world: the blob store has it."""
    effect = next(row for row in session.effects if isinstance(row, x.StoreSnapshot))
    return session.ask(c.Report(e.SnapshotStored(layer=effect.layer, bytes=9, seconds=0.1)))


def pull_request(state: State, number: int) -> PullRequest:
    """The pull request that the state asks for."""
    return PullRequest(
        repository=state.created.repository.name,
        number=number,
        url=f"http://localhost/pulls/demo/{number}",
        title="Mend it",
        body="",
        author=ADA,
        base_branch=state.created.base_branch,
        head_branch=state.branch,
        base_commit=state.created.base_commit,
        head_commit=state.head,
        state=PullRequestState.OPEN,
        session=state.session,
        opened_at=state.at,
    )


def play(*prompts: str) -> Playbook:
    """A playbook with the engine at work on the first of these prompts, the others queued."""
    playbook = Playbook()
    for number, text in enumerate(prompts or ("mend it",), start=1):
        playbook.prompt(text, number=number)
    playbook.sandbox_ready()
    playbook.hand()
    return playbook
