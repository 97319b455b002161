"""The result of a session, its row in the list, and the sentences."""

import asyncio
import json

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import Usage
from outrider.model.proof import ProofVerdict
from outrider.ports.store import SessionRow
from outrider.session.projection import Projection, row, status
from outrider.session.result import result
from outrider.testing.manual_clock import ManualClock
from outrider.testing.memory_store import MemorySessionIndex
from outrider.testing.playbook import ADA, BASE, Playbook, commit_id, play, proof_of


def finished(verdict: ProofVerdict = ProofVerdict.FIX_PROVED) -> Playbook:
    session = play()
    session.ask(c.RecordUsage(Usage(call="a", model="m", input_tokens=10, output_tokens=2, cost_usd=0.25)))
    session.engine_ends()
    session.collect(commit_id(1), "Mend it")
    session.prove(verdict)
    while session.state.turn and not session.state.publishing:
        session.hand()
        session.engine_ends()
        session.collect(commit_id(session.state.turn.round), "Mend it")
        session.prove(verdict)
    session.publish(7)
    return session


def test_the_result_holds_exactly_what_is_promised():
    told = json.loads(result(finished().state).model_dump_json())
    assert told == {
        "session": "s-abcdefghij",
        "ok": True,
        "reason": "completed",
        "branch": "outrider/s-abcdefghij/work",
        "commits": [{"sha": commit_id(1), "author": "Ada <ada@example.org>", "subject": "Mend it"}],
        "pull_request": {"number": 7, "url": "http://localhost/pulls/demo/7", "state": "open"},
        "checks": [
            {
                "name": "tests",
                "phase": "after",
                "commit": commit_id(1),
                "tests_from": None,
                "command": "make test",
                "exit_code": 0,
                "passed": None,
                "failed": None,
                "verdict": "passed",
            }
        ],
        "usage": {
            "calls": 1,
            "input_tokens": 10,
            "output_tokens": 2,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "cost_usd": 0.25,
        },
    }


def test_red_checks_are_not_ok():
    told = result(finished(ProofVerdict.RED).state)
    assert (told.ok, told.reason) == (False, "checks_red")


@pytest.mark.parametrize(
    ("verdict", "ok", "reason"),
    [
        (ProofVerdict.FIX_PROVED, True, "completed"),
        (ProofVerdict.FIX_PROVED_WEAKLY, True, "completed"),
        (ProofVerdict.STILL_GREEN, True, "completed"),
        (ProofVerdict.NOT_RUN, True, "completed"),
        (ProofVerdict.RED, False, "checks_red"),
    ],
)
def test_a_turn_that_ran_to_its_end_is_ok_where_no_check_is_red(verdict: ProofVerdict, ok: bool, reason: str):
    told = result(finished(verdict).state)
    assert (told.ok, told.reason) == (ok, reason)


def test_checks_that_could_not_run_are_not_ok():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1), "Mend it")
    session.fail(x.Prove, "No sandbox is free.")
    session.publish(7)
    told = result(session.state)
    assert (told.ok, told.reason, told.pull_request.number) == (False, "checks_not_run", 7)


def test_a_setup_that_fails_where_there_are_no_checks_is_not_ok():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1), "Mend it")
    proof = proof_of(session.state.proving, ProofVerdict.NOT_RUN).model_copy(update={"setup_failed": True})
    session.ask(c.Report(e.ProofFinished(proof=proof)))
    session.publish(7)
    told = result(session.state)
    assert (told.ok, told.reason, told.pull_request.number) == (False, "setup_failed", 7)


def test_a_session_whose_turn_has_not_ended_is_not_ok():
    told = result(play().state)
    assert (told.ok, told.reason) == (False, "not_run")


def test_a_turn_that_failed_is_not_ok_whatever_its_checks_said():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    session.fail(x.Publish, "The forge is away.")
    told = result(session.state)
    assert (told.ok, told.reason) == (False, "failed")


def test_a_call_without_a_price_leaves_the_sum_open():
    session = play()
    session.ask(c.RecordUsage(Usage(call="a", model="m", input_tokens=1, output_tokens=1)))
    assert result(session.state).usage.cost_usd is None


def test_the_same_call_is_counted_once():
    session = play()
    usage = Usage(call="a", model="m", input_tokens=1, output_tokens=1)
    assert session.ask(c.RecordUsage(usage)) == "usage_recorded"
    assert session.ask(c.RecordUsage(usage)) == ""


def test_a_session_that_was_stopped_is_not_ok():
    session = play()
    session.ask(c.StopTurn(by=ADA))
    session.ask(c.TurnStopped(session.state.turn.id, 0, None))
    told = result(session.state)
    assert (told.ok, told.reason, told.branch, told.pull_request) == (False, "stopped", None, None)


def test_the_status_is_one_word_for_where_it_is():
    session = Playbook()
    seen = [status(session.state)]
    session.prompt("mend it")
    seen.append(status(session.state))
    session.sandbox_ready()
    session.hand()
    seen.append(status(session.state))
    session.engine_ends()
    session.collect(BASE)
    seen.append(status(session.state))
    session.prompt("again", number=2)
    session.ask(c.StopTurn(by=ADA))
    seen.append(status(session.state))
    session.ask(c.TurnStopped(session.state.turn.id, 0, None))
    session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id)))
    seen.append(status(session.state))
    session.ask(c.Archive(by=ADA))
    seen.append(status(session.state))
    assert seen == ["asleep", "waking", "running", "idle", "stopping", "asleep", "archived"]


async def test_a_row_is_written_where_people_see_a_difference_and_at_rest():
    index = MemorySessionIndex()
    projection = Projection(index, ManualClock())
    session = play()
    projection.touch(session.state)
    await projection.write()
    written = await index.get(session.state.session)
    assert written == row(session.state)
    session.ask(c.Report(e.ProblemReported(sentence="x")))
    projection.touch(session.state)
    await projection.write()
    assert (await index.get(session.state.session)).projected_seq == written.projected_seq
    session.ask(c.StopTurn(by=ADA))
    projection.touch(session.state)
    await projection.write()
    assert (await index.get(session.state.session)).status == "stopping"


async def test_a_session_that_changes_whenever_its_row_is_written_is_written_once_a_round():
    """At rest, where each event is worth a row."""
    session, written = Playbook(), []

    def change(new: SessionRow) -> None:
        written.append(new.projected_seq)
        session.ask(c.Report(e.ProblemReported(sentence="x")))
        projection.touch(session.state)

    projection = Projection(MemorySessionIndex(), ManualClock(), change)
    projection.touch(session.state)
    for rounds in (1, 2, 3):
        await projection.write()
        assert len(written) == rounds


class Slow(MemorySessionIndex):
    """Takes nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def put(self, *rows: SessionRow) -> None:
        self.asked.set()
        await self.may.wait()
        await super().put(*rows)


async def test_a_row_that_nobody_waits_for_any_more_is_written_all_the_same():
    index, session = Slow(), Playbook()
    projection = Projection(index, ManualClock())
    projection.touch(session.state)
    waiting = asyncio.create_task(projection.write_one(session.state.session))
    await index.asked.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    index.may.set()
    await projection.write()
    assert await index.get(session.state.session) == row(session.state)
