"""Who goes first where more sessions want to work than may."""

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from outrider.model.ids import SessionId
from outrider.model.limits import WorkLimits
from outrider.model.person import Person
from outrider.session.turn_slots import TurnSlots, Wish
from outrider.testing.manual_clock import START
from outrider.testing.playbook import ADA, BOB


class Desk:
    """Turns that want to begin, and which of them have."""

    def __init__(self, total: int | None = None, each: int | None = None) -> None:
        self.slots = TurnSlots(WorkLimits(total, each))
        self.begun: list[str] = []
        self.told: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, name: str, person: Person, **more: object) -> None:
        wish = Wish(SessionId(name), person, START + timedelta(seconds=len(self.tasks)), **more)

        async def held(sentence: str, remedy: str) -> None:
            self.told.append(f"{sentence} {remedy}")

        async def enter() -> None:
            await self.slots.enter(wish, held)
            self.begun.append(name)

        self.tasks[name] = asyncio.get_running_loop().create_task(enter(), name=name)
        await self.settle()

    async def leave(self, name: str) -> None:
        self.slots.leave(SessionId(name))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_without_a_limit_nobody_waits() -> None:
    desk = Desk()
    for number in range(20):
        await desk.want(f"s{number}", ADA)
    assert len(desk.begun) == 20


async def test_one_more_waits_says_why_and_begins_by_itself() -> None:
    desk = Desk(total=1)
    await desk.want("a", ADA)
    await desk.want("b", ADA)
    assert desk.begun == ["a"]
    assert desk.told[0].startswith("1 sessions are at work here, the most at once.")
    assert "OUTRIDER_LIMIT_SESSIONS_AT_WORK" in desk.told[0]
    await desk.leave("a")
    assert desk.begun == ["a", "b"]


async def test_whoever_has_the_fewest_at_work_goes_first() -> None:
    desk = Desk(total=3)
    for name in ("a1", "a2", "a3", "a4"):
        await desk.want(name, ADA)
    await desk.want("b1", BOB)
    await desk.leave("a1")
    assert desk.begun == ["a1", "a2", "a3", "b1"]
    await desk.leave("b1")
    assert desk.begun[-1] == "a4"


async def test_one_persons_limit_holds_nobody_else() -> None:
    desk = Desk(each=1)
    await desk.want("a1", ADA)
    await desk.want("a2", ADA)
    await desk.want("b1", BOB)
    assert desk.begun == ["a1", "b1"]
    assert "Ada has 1 sessions at work" in desk.told[0]


async def test_who_is_cancelled_waits_no_more_and_holds_no_place() -> None:
    desk = Desk(total=1)
    for name in ("a", "b", "c"):
        await desk.want(name, ADA)
    desk.tasks["b"].cancel()
    await desk.settle()
    await desk.leave("a")
    assert desk.begun == ["a", "c"]


async def test_what_had_begun_and_children_of_who_works_do_not_wait() -> None:
    desk = Desk(total=1)
    await desk.want("a", ADA)
    await desk.want("resumed", ADA, at_once=True)
    await desk.want("child", ADA, parent=SessionId("a"))
    await desk.want("orphan", ADA, parent=SessionId("gone"))
    assert desk.begun == ["a", "resumed", "child"]
    assert [use.used for use in desk.slots.report(ADA)] == [3, 3]


@given(
    st.lists(st.tuples(st.sampled_from(["want", "leave", "cancel"]), st.integers(0, 9), st.sampled_from([ADA, BOB]))),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_never_too_many_and_never_a_free_place_for_who_could_have_it(
    steps: list[tuple[str, int, Person]], total: int, each: int
) -> None:
    asyncio.run(play(steps, total, each))


async def play(steps: list[tuple[str, int, Person]], total: int, each: int) -> None:
    desk = Desk(total, each)
    whose: dict[str, Person] = {}
    working: set[str] = set()
    for kind, number, person in steps:
        name = f"s{number}"
        if kind == "want" and name not in whose:
            whose[name] = person
            await desk.want(name, person)
        elif kind == "leave" and name in working:
            await desk.leave(name)
            working.discard(name)
            desk.begun.remove(name)
            whose.pop(name)
        elif kind == "cancel" and name in whose and name not in working:
            desk.tasks[name].cancel()
            await desk.settle()
            whose.pop(name)
        working = set(desk.begun)
        counts = {one.email: sum(whose[name] == one for name in working) for one in (ADA, BOB)}
        assert len(working) <= total
        assert max(counts.values()) <= each
        waiting = [whose[name] for name in whose if name not in working]
        if len(working) < total:
            assert all(counts[one.email] == each for one in waiting)
    for task in desk.tasks.values():
        task.cancel()
