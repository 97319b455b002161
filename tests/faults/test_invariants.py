"""Each invariant is broken on purpose: what cannot be seen here would not be seen in a schedule either."""

import copy
from typing import Any

import pytest

from tests.faults.invariants import Receipt, broken, children_made, left_of_ended
from tests.faults.people import Accepted, Done, Seen, Watcher

EVENTS: list[dict[str, Any]] = [
    {"type": "session_created"},
    {"type": "prompt_queued", "prompt": {"id": "p-1", "text": "talk #1", "author": {"person": {"name": "Ada"}}}},
    {"type": "prompt_queued", "prompt": {"id": "p-2", "text": "talk #2", "author": {"person": {"name": "Bob"}}}},
    {"type": "prompt_moved", "prompt": "p-2", "position": 0},
    {"type": "turn_started", "turn": "t-2", "prompt": "p-2"},
    {"type": "prompt_handed", "turn": "t-2"},
    {"type": "turn_ended", "turn": "t-2", "reason": "completed", "message": "Done."},
    {"type": "turn_started", "turn": "t-1", "prompt": "p-1"},
    {"type": "prompt_handed", "turn": "t-1"},
    {"type": "turn_ended", "turn": "t-1", "reason": "stopped", "message": "Stopped."},
]
RECEIPTS = [Receipt("r-2", ["talk #2"]), Receipt("r-1", ["The story so far.\ntalk #2", "talk #1"])]


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"seq": seq, "event": copy.deepcopy(event)} for seq, event in enumerate(events, start=1)]


def watcher(seen: list[dict[str, Any]]) -> Watcher:
    bob = Watcher("Bob", "s-1", "", lambda: "", Seen(), [Accepted("talk #2", 3, "p-2", "Bob")])
    bob.seen.take(copy.deepcopy(seen))
    return bob


def test_a_sound_session_breaks_nothing() -> None:
    assert broken(numbered(EVENTS), [watcher(numbered(EVENTS)[:6])], RECEIPTS) == []


def without(*numbers: int) -> list[dict[str, Any]]:
    return numbered([event for number, event in enumerate(EVENTS, start=1) if number not in numbers])


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ([*numbered(EVENTS)[:3], *numbered(EVENTS)[4:]], "gaps"),
        (numbered([*EVENTS[:3], EVENTS[2], *EVENTS[3:]]), "was queued 2 times"),
        (without(3, 4, 5, 6, 7), "was promised and is lost"),
        (without(4), "is answered before its turn"),
        (without(8, 9, 10), "still waits"),
        (without(7), "began before t-2 had ended"),
        (without(10), "never ended"),
        (without(9), "was given to the engine 1 times and handed over 0 times"),
    ],
)
def test_what_is_broken_is_said(log: list[dict[str, Any]], said: str) -> None:
    assert any(said in fault for fault in broken(log, [watcher([])], RECEIPTS))


def test_what_was_shown_and_is_not_stored_is_said() -> None:
    shown = numbered([*EVENTS[:2], {"type": "turn_ended", "turn": "t-9"}])
    assert broken(numbered(EVENTS), [watcher(shown)], RECEIPTS) == ["Bob was shown event 3, and it is not stored so"]
    assert broken(numbered(EVENTS), [watcher(numbered(EVENTS)[1:2])], RECEIPTS) == ["Bob: event 2 came after 0"]


def test_another_name_on_a_prompt_is_said() -> None:
    log = numbered(EVENTS)
    log[2]["event"]["prompt"]["author"]["person"]["name"] = "Ada"
    assert broken(log, [watcher([])], RECEIPTS) == ["'talk #2' is Bob's and stands under Ada"]


AGAIN = {"type": "prompt_handed", "turn": "t-1", "attempt": 2}
CUT_OFF = {"type": "turn_interrupted", "turn": "t-1", "attempt": 1, "reason": "The server ended."}


def test_a_prompt_that_is_handed_over_twice_in_silence_is_said() -> None:
    silent = numbered([*EVENTS[:9], AGAIN, *EVENTS[9:]])
    twice = [*RECEIPTS, RECEIPTS[1]]
    assert broken(silent, [], twice) == ["event 10: round 1 of t-1 is handed over again in silence"]
    assert broken(numbered([*EVENTS[:9], CUT_OFF, AGAIN, *EVENTS[9:]]), [], twice) == []
    other_round = {**AGAIN, "attempt": 1, "round": 2}
    assert broken(numbered([*EVENTS[:9], other_round, *EVENTS[9:]]), [], twice) == []


def test_an_engine_that_ends_by_itself_is_said() -> None:
    for code, sound in ((137, True), (2, False)):
        ended = {**CUT_OFF, "reason": f"The engine scripted ended with exit code {code}. It last said: oh"}
        log = numbered([*EVENTS[:9], ended, AGAIN, *EVENTS[9:]])
        assert (broken(log, [], RECEIPTS) == []) is sound


def test_what_outlives_its_turn_is_said() -> None:
    log = numbered(EVENTS)
    assert left_of_ended(log, RECEIPTS, ["r-2"]) == [], "a turn that was done may leave a server running"
    assert left_of_ended(log, RECEIPTS, ["r-1"]) == ["a process of 'talk #1' lives, which was stopped"]
    assert left_of_ended(log[:9], RECEIPTS, ["r-1"]) == [], "it runs"
    again = [*RECEIPTS, Receipt("r-3", ["talk #1"])]
    assert left_of_ended(log[:9], again, ["r-1"]) == ["a process of 'talk #1' lives from before it was cut off"]
    assert left_of_ended(log[:9], again, ["r-3"]) == []


def test_what_outlives_its_turn_and_is_met_by_the_next_is_said() -> None:
    log = numbered([*EVENTS[:6], {**EVENTS[6], "reason": "failed"}, *EVENTS[7:]])
    met = [RECEIPTS[0], Receipt("r-1", ["talk #1"], alive=["r-2"])]
    assert broken(log, [], met) == ["a process of 'talk #2' lives, which was failed"]


BOB = {"name": "Bob"}
EDITED = [
    *EVENTS[:3],
    {"type": "prompt_edited", "prompt": "p-2", "text": "wait #2", "by": BOB},
    *EVENTS[3:],
]


def test_an_edited_prompt_is_given_as_it_was_edited_last():
    given = [Receipt("r-2", ["wait #2"]), Receipt("r-1", ["talk #1"])]
    assert broken(numbered(EDITED), [], given) == []
    [said] = broken(numbered(EDITED), [], [Receipt("r-0", ["talk #2"]), *given])
    assert said == "'talk #2' was given to the engine 1 times and handed over 0 times"


@pytest.mark.parametrize(
    ("done", "holds"),
    [
        (Done("edit", 4, "Bob", "p-2", "wait #2"), True),
        (Done("edit", 3, "Bob", "p-2", "wait #2"), True),
        (Done("edit", 4, "Ada", "p-2", "wait #2"), False),
        (Done("edit", 4, "Bob", "p-2", "wait #3"), False),
        (Done("edit", 6, "Bob", "p-2", "wait #2"), False),
        (Done("stop", 0, "Ada"), True),
        (Done("stop", 40, "Ada"), False),
    ],
)
def test_what_is_said_to_be_done_stands_where_it_is_said_under_who_asked(done: Done, holds: bool) -> None:
    bob = Watcher("Bob", "s-1", "", lambda: "", done=[done])
    assert (broken(numbered(EDITED), [bob], [Receipt("r-2", ["wait #2"]), Receipt("r-1", ["talk #1"])]) == []) is holds


@pytest.mark.parametrize("kind", ["prompt_withdrawn", "prompt_moved", "prompt_edited", "turn_started"])
def test_what_does_not_wait_is_not_touched(kind: str) -> None:
    late = {"type": kind, "prompt": "p-1", "position": 0, "turn": "t-1", "by": BOB, "text": "talk #1"}
    found = broken(numbered([*EVENTS, late]), [], [])
    assert f"event 11: {kind} of p-1, which does not wait" in found


PARENT = [
    {"type": "session_created", "session": "s-1"},
    {"type": "child_spawned", "child": "s-2"},
    {"type": "child_ended", "child": "s-2"},
]
CHILD = [{"type": "session_created", "session": "s-2", "parent": {"session": "s-1"}}]


def test_children_are_there_once_and_rest() -> None:
    logs = {"s-1": numbered(PARENT), "s-2": numbered(CHILD)}
    assert children_made(logs["s-1"], logs) == []
    assert children_made(numbered(PARENT[:2]), logs) == ["s-2 came to no rest that its parent knows of"]
    assert children_made(logs["s-1"], {"s-1": logs["s-1"]}) == ["s-2 is not there as a child of s-1"]
    assert children_made(numbered([*PARENT[:2], *PARENT[1:]]), logs) == ["s-2 was made 2 times"]
