"""What holds whatever happens: random people and a random world, in any order."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.model import children as k
from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import EngineStop, PermissionAsk, PlanUpdate, Speaker, Usage
from outrider.model.errors import OutriderError
from outrider.model.ids import MessageId, ProofId, SessionId, TurnId
from outrider.model.membership import ROLES
from outrider.model.proof import Phase, ProofVerdict
from outrider.model.repository import PullRequestState
from outrider.model.rows import row, rows
from outrider.model.sandbox import SandboxHandle
from outrider.session.batch import Batch
from outrider.session.decide import history
from outrider.session.decide.follow import follow
from outrider.session.fold import begin, fold_all
from outrider.session.keys import answered
from outrider.testing.children import child_prompt, child_result, child_spec
from outrider.testing.playbook import (
    ADA,
    BASE,
    BOB,
    Playbook,
    commit_id,
    prompt_id,
    proof_of,
    pull_request,
    sandbox_is_ready,
    snapshot_of,
    sync_is_finished,
    work,
)

HEADS = st.sampled_from([BASE, *map(commit_id, range(1, 6))])
NUMBERS = st.integers(1, 12)
BESIDE = x.WaitUntil | x.StoreSnapshot | x.TendChild | x.StopChild
"""What no turn waits for."""


class Chaos:
    """Draws the next thing that happens: mostly an answer to what the session asks for, else anything at all."""

    def __init__(self, session: Playbook, data: st.DataObject) -> None:
        self.session, self.data = session, data
        self.old: list[x.Effect] = []

    def draw(self, strategy: st.SearchStrategy) -> object:
        return self.data.draw(strategy)

    def step(self) -> None:
        """One thing happens; a person may be refused, never anybody else surprised."""
        effects = list(self.session.effects)
        self.old += [effect for effect in effects if effect not in self.old]
        rare = ["late", "time", "wake", "tool", "usage", "history"]
        kind = self.draw(st.sampled_from(["answer"] * 6 + ["person"] * 3 + rare))
        command = self.command(kind, effects)
        if command is None:
            return
        before = self.session.state
        try:
            self.session.ask(command)
        except OutriderError:
            assert self.session.state == before

    def command(self, kind: str, effects: list[x.Effect]) -> c.Command | None:
        match kind:
            case "answer":
                return self.answer(self.draw(st.sampled_from(effects))) if effects else None
            case "late":
                return self.answer(self.draw(st.sampled_from(self.old))) if self.old else None
            case "person":
                return self.person()
            case "time":
                self.session.clock.advance(self.draw(st.sampled_from([1, 700])))
                return c.TimerFired("idle")
            case "wake":
                return c.Wake("The server was stopped.")
            case "history":
                return self.history()
            case "tool":
                head = self.session.state.head
                return self.draw(st.sampled_from([c.AskProof(head), c.AskPullRequest(head, "Mine", "")]))
            case _:
                call = self.draw(st.sampled_from(["one", "two"]))
                return c.RecordUsage(Usage(call=call, model="m", input_tokens=1, output_tokens=1))

    def history(self) -> c.Command:
        """What an engine says and does: of this turn, of an old one, or outside any."""
        turn = self.session.state.turn.id if self.session.state.turn else TurnId("turn-of-long-ago")
        turn = self.draw(st.sampled_from([turn, turn, TurnId("turn-of-another")]))
        proof = self.session.state.proving.proof if self.session.state.proving else ProofId("proof-of-another")
        check = e.CheckStarted(proof=proof, phase=Phase.AFTER, name="tests", command="make test")
        ask = PermissionAsk(tool_call="call-1", title="Run a command")
        said = [
            c.SealText(turn, MessageId("m-one"), Speaker.AGENT, 0, "I look."),
            c.EngineChanged(turn, PlanUpdate(entries=())),
            c.DecidePermission(turn, ask, allowed=True),
            c.Report(e.StageReported(stage="setup", text="Set up.")),
            c.Report(check),
        ]
        return self.draw(st.sampled_from(said))

    def person(self) -> c.Command:
        number = self.draw(NUMBERS)
        prompt = c.QueuePrompt(
            e.Prompt(id=prompt_id(number), author=e.Author(person=ADA), text="mend it", key=str(number))
        )
        others = [
            c.WithdrawPrompt(prompt_id(number), by=BOB),
            c.MovePrompt(prompt_id(number), number % 3, by=BOB),
            c.SteerNow(prompt_id(number), by=BOB),
            c.EditPrompt(prompt_id(number), number % 3 + 1, "mend it well", by=self.draw(st.sampled_from([ADA, BOB]))),
            c.Once(str(number % 4), c.MovePrompt(prompt_id(number), 0, by=BOB)),
            c.Once(str(number % 4), c.StopTurn(by=ADA)),
            c.StopTurn(by=BOB),
            c.Typing(by=BOB, at=self.session.log[0].at),
        ]
        role = self.draw(st.sampled_from(ROLES))
        whom, by = self.draw(st.sampled_from([(BOB, ADA), (ADA, BOB), (BOB, BOB)]))
        people = [c.SetRole(whom, role, by), c.Join(whom, role, by), c.Leave(whom, by)]
        rare = [
            c.Rename(f"Title {number}", by=BOB),
            c.Pin(pinned=number % 2 == 0, by=BOB),
            c.Archive(by=ADA, stop=number % 2 == 0),
            c.Unarchive(by=BOB),
            c.Rewind(str(number), by=BOB),
            c.ForgeChanged(7, PullRequestState.MERGED, by=BOB),
        ]
        child = SessionId(f"s-{'abcdefghijklmno'[number] * 10}")
        kin = [
            c.SpawnChild(child_spec(child), ADA, None, len(self.session.state.children), c.Caps(children=3)),
            c.PromptChild(child, child_prompt(number % 4), None),
            c.StopTurn(by=BOB, children=True),
        ]
        return self.draw(st.sampled_from([prompt] * 5 + others * 2 + people + rare + kin))

    def answer(self, effect: x.Effect) -> c.Command:
        """What an effect may answer, rightly or not."""
        failed = c.EffectFailed(effect, "It failed.", retry=self.draw(st.booleans()))
        return self.draw(st.sampled_from([*self.answers(effect), *self.answers(effect), failed]))

    def answers(self, effect: x.Effect) -> list[c.Command]:
        """What the world may answer."""
        match effect:
            case x.StartSandbox() | x.StopSandbox() | x.TakeSnapshot() | x.SleepSandbox() | x.StoreSnapshot():
                return self.sandbox_answers(effect)
            case x.TendChild(child=child, prompts=sent):
                rested = k.ChildEnded(child=child, prompts=sent, result=child_result())
                return [c.Report(k.ChildSpawned(child=child)), c.Report(rested)]
            case x.SyncWorkspace():
                moved_from = self.draw(st.sampled_from([None, commit_id(9)]))
                return [c.Report(sync_is_finished(self.session.state.base, moved_from))]
            case x.RunTurn(turn=turn, attempt=attempt, round=round_number):
                stop = self.draw(st.sampled_from(EngineStop))
                return [c.HandPrompt(turn, attempt, round_number), c.EngineTurnEnded(turn, round_number, stop)]
            case x.StopEngine(turn=turn):
                return [c.TurnStopped(turn, 1, None), c.TurnStopped(turn, 1, work(self.draw(HEADS)))]
            case x.CollectWork():
                return [c.Report(work(self.draw(HEADS)))]
            case x.Prove() | x.Publish():
                return self.outward_answers(effect)
        return [c.TimerFired("idle")]

    def outward_answers(self, effect: x.Prove | x.Publish) -> list[c.Command]:
        if isinstance(effect, x.Prove):
            asked = e.ProofRequested(proof=effect.proof, head=effect.head, asked_by="turn_end")
            return [c.ProofEnded(proof_of(asked, self.draw(st.sampled_from(ProofVerdict))))]
        state, head = self.session.state, effect.head
        opened = pull_request(state, 7) if effect.pull_request else None
        return [c.Published(head, state.branch, opened, effect.proof), c.Published(head, state.branch, problem="No.")]

    def sandbox_answers(self, effect: x.Effect) -> list[c.Command]:
        if isinstance(effect, x.TakeSnapshot | x.SleepSandbox):
            return [snapshot_of(self.session.state, effect)]
        if isinstance(effect, x.StoreSnapshot):
            return [c.Report(e.SnapshotStored(layer=effect.layer, bytes=1, seconds=1))]
        if isinstance(effect, x.StopSandbox):
            return [c.Report(e.SandboxStopped(sandbox=effect.sandbox))]
        ready = c.Report(sandbox_is_ready(SandboxHandle(id=effect.sandbox, provider="fake")))
        return [ready, ready, c.SandboxVanished(effect.sandbox, effect.start, "It died.")]


def check(session: Playbook) -> None:
    """What must hold after every step."""
    state, log = session.state, session.log
    assert [recorded.seq for recorded in log] == list(range(1, len(log) + 1))
    assert fold_all(begin(log[0]), log[1:]) == state, "folded at once or one by one, it is the same"
    events = [recorded.event for recorded in log]
    started = [event.turn for event in events if isinstance(event, e.TurnStarted)]
    ended = [event.turn for event in events if isinstance(event, e.TurnEnded)]
    assert ended == started[: len(ended)], "turns end in the order in which they begin, one at a time"
    assert len(started) - len(ended) == (state.turn is not None)
    check_prompts(state, events)
    check_edits_and_keys(log)
    check_snapshots(state, events)
    check_children(session, events)
    check_effects(session)


def check_prompts(state: object, events: list[e.Event]) -> None:
    """No prompt is lost or run twice, and each is handed over once for each attempt and round."""
    queued = [event.prompt.id for event in events if isinstance(event, e.PromptQueued)]
    ran = [event.prompt for event in events if isinstance(event, e.TurnStarted)]
    withdrawn = [event.prompt for event in events if isinstance(event, e.PromptWithdrawn)]
    waiting = [prompt.id for prompt in state.queue]
    assert sorted(queued) == sorted([*ran, *withdrawn, *waiting])
    handed = [(event.turn, event.attempt, event.round) for event in events if isinstance(event, e.PromptHanded)]
    assert len(handed) == len(set(handed))
    assert not (waiting and state.turn is None and not state.archived), "a waiting prompt starts a turn"


def check_edits_and_keys(log: list[e.Recorded]) -> None:
    """Revisions count up without gaps, only while a prompt waits; a person's key stands for one request."""
    revisions: dict[str, int] = {}
    keys: list[tuple[str, str]] = []
    for event in (recorded.event for recorded in log):
        match event:
            case e.PromptQueued(prompt=prompt):
                revisions[prompt.id] = prompt.revision
                keys += [(prompt.author.person.email, prompt.key)] if prompt.key else []
            case e.PromptEdited(prompt=prompt, revision=revision, by=by, author=author):
                assert revision == revisions[prompt] + 1
                assert by == author == ADA
                revisions[prompt] = revision
            case e.TurnStarted(prompt=prompt) | e.PromptWithdrawn(prompt=prompt):
                del revisions[prompt]
            case e.KeyUsed(key=key, by=by):
                keys.append((by.email, key))
    assert len(keys) == len(set(keys))


def check_snapshots(state: object, events: list[e.Event]) -> None:
    """What a sandbox is made from is a snapshot that was taken; going back brings the commits of its turn."""
    taken = {event.layer: event for event in events if isinstance(event, e.SnapshotTaken)}
    assert {kept.layer for kept in state.snapshots} <= taken.keys()
    assert len({kept.turn for kept in state.snapshots}) == len(state.snapshots) <= 3
    if state.restore:
        assert state.restore.layer in taken
    last = next((event for event in reversed(events) if isinstance(event, e.SessionRewound | e.TurnStarted)), None)
    if isinstance(last, e.SessionRewound) and not state.archived:
        commits = [event.commit for event in taken.values() if event.turn == last.turn]
        assert state.head in commits
        assert state.sandbox is None or not state.sandbox_ready


def check_children(session: Playbook, events: list[e.Event]) -> None:
    """A child is made once, there are not more than may be, and one that works is listened to."""
    made = [event.child for event in events if isinstance(event, k.ChildSpawned)]
    assert len(made) == len(set(made))
    wanted = [event.child.session for event in events if isinstance(event, k.ChildRequested)]
    refused = [event.child for event in events if isinstance(event, k.ChildRefused)]
    assert len(wanted) - len(refused) <= 3
    tended = {effect.child for effect in session.effects if isinstance(effect, x.TendChild)}
    assert tended == {child.id for child in session.state.children.values() if child.open}
    for child in session.state.children.values():
        assert len({prompt.key for prompt in child.prompts}) == len(child.prompts)


def check_effects(session: Playbook) -> None:
    """A turn always waits for something, effects have one id each, and at most one turn runs."""
    effects = session.effects
    assert len({effect.id for effect in effects}) == len(effects)
    assert sum(isinstance(effect, x.RunTurn) for effect in effects) <= 1
    if (turn := session.state.turn) and turn.stop_failed:
        assert any(isinstance(effect, x.StopSandbox) for effect in effects), "the turn ends with its sandbox"
    elif turn:
        assert any(not isinstance(effect, BESIDE | x.StopSandbox) for effect in effects), "the turn is stuck"
        assert any(
            isinstance(
                effect, (x.SyncWorkspace, x.RunTurn, x.StopEngine, x.CollectWork, x.Prove, x.Publish, x.TakeSnapshot)
            )
            for effect in effects
        ) or (session.state.sandbox and session.state.sandbox.phase.value == "starting")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_happens(data: st.DataObject):
    session = Playbook()
    session.prompt("mend it", number=99)
    chaos = Chaos(session, data)
    for _ in range(data.draw(st.integers(5, 60))):
        chaos.step()
    check(session)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_turn_comes_to_its_end(data: st.DataObject):
    """After any beginning, a world that answers well brings everything to rest."""
    session = Playbook()
    session.prompt("mend it", number=99)
    chaos = Chaos(session, data)
    for _ in range(data.draw(st.integers(0, 30))):
        chaos.step()
    for _ in range(300):
        if session.state.turn is None:
            break
        effect = next(effect for effect in reversed(session.effects) if not isinstance(effect, BESIDE))
        if isinstance(effect, x.RunTurn) and not session.state.turn.handed:
            session.hand()
        else:
            session.ask(chaos.answers(effect)[-1] if isinstance(effect, x.RunTurn) else chaos.answers(effect)[0])
    assert session.state.turn is None
    assert not session.state.queue or session.state.archived


class Noting(Playbook):
    """Remembers what was asked and what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[c.Command, int | None]] = []

    def ask(self, command: c.Command) -> str:
        """As ever. What brings about history only may be decided without the number and the time of the state."""
        before = self.state
        assert follow(before) == (), "a state that was decided on rests"
        assert history(replace(before, seq=0, at=before.at - timedelta(days=1)), command) == history(before, command)
        try:
            happened = super().ask(command)
        except OutriderError:
            self.asked.append((command, None))
            raise
        known = answered(before, command)
        self.asked.append((command, before.seq + 1 if happened else known.seq if known else 0))
        return happened


def outcome(batch: Batch, command: c.Command) -> int | None:
    try:
        return batch.add(command)
    except OutriderError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_decided_and_encoded_at_once_is_the_same_as_one_by_one(data: st.DataObject):
    session = Noting()
    batch = Batch(session.state, session.clock.now())
    session.prompt("mend it", number=99)
    chaos = Chaos(session, data)
    for _ in range(data.draw(st.integers(5, 40))):
        chaos.step()
    assert [(command, outcome(batch, command)) for command, _ in session.asked] == session.asked
    assert batch.events == [recorded.event for recorded in session.log[1:]]
    assert replace(batch.state, at=session.state.at) == session.state
    at = session.clock.now()
    numbered = [e.Recorded(seq=seq, at=at, event=event) for seq, event in enumerate(batch.events, 2)]
    assert rows(2, at, batch.events) == [row(recorded) for recorded in numbered]
