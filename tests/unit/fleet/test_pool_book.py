"""The pool's book: who gets what, and what is begun and dropped."""

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from outrider.fleet.pool.book import LEASE_SECONDS, MAX_AGE_SECONDS, Book, Entry, Want
from outrider.fleet.pool.demand import KEEP_SECONDS, Demand
from outrider.model.engine import ModelRef
from outrider.model.ids import SandboxId
from outrider.model.pool import Miss, PoolKey

SHOP = PoolKey(repository="shop", branch="main")
FORGE = PoolKey(repository="forge", branch="main")
ONE, OTHER = ModelRef.parse("rehearsal/demo"), ModelRef.parse("openai/gpt-5.1")
ADA, BOB = "ada@example.com", "bob@example.com"
KEYS, PEOPLE = (SHOP, FORGE), (ADA, BOB, "eve@example.com")


def book(*ids: str, key: PoolKey = SHOP, make: str = "new", model: ModelRef = ONE, ready: bool = True) -> Book:
    """A book with sandboxes begun at 0, 1, 2…"""
    made = Book()
    for number, name in enumerate(ids):
        add(made, name, key, make=make, model=model, since=number, ready=ready)
    return made


def add(
    to: Book, name: str, key: PoolKey = SHOP, *, make: str = "new", model: ModelRef = ONE, since: float = 0,
    ready: bool = True,
) -> Entry:  # fmt: skip
    entry = Entry(SandboxId(name), key, model, make, since)
    to.begin(entry)
    if ready:
        to.ready(entry.id, since)
    return entry


def chosen(of: Book, person: str = ADA, model: ModelRef = ONE) -> str:
    found = of.choose(SHOP, model, person)
    return found.id if isinstance(found, Entry) else found.name


def dropped(of: Book, wants: Mapping[PoolKey, Want], *, now: float = 10, room: int = 1) -> list[str]:
    return [entry.id for entry, _ in of.steps(wants, now, room=room, refilling=False).drop]


def test_the_longest_ready_of_the_same_model_goes_first() -> None:
    made = book("a", model=OTHER)
    add(made, "b", since=1)
    add(made, "c", since=2)
    assert chosen(made) == "b"
    assert chosen(made, model=OTHER) == "a"
    made.remove(SandboxId("b"))
    made.remove(SandboxId("c"))
    assert chosen(made) == "a"


def test_what_is_held_for_another_is_not_given_away() -> None:
    made = book("a")
    held = made.hold(SHOP, ONE, BOB, 0)
    assert held is not None
    assert (chosen(made, ADA), chosen(made, BOB)) == (Miss.HELD.name, "a")
    made.end_leases(LEASE_SECONDS - 1)
    assert made.hold(SHOP, ONE, BOB, LEASE_SECONDS - 1) is held
    made.end_leases(LEASE_SECONDS + 1)
    assert chosen(made, ADA) == Miss.HELD.name
    made.end_leases(2 * LEASE_SECONDS)
    assert chosen(made, ADA) == "a"


def test_a_person_holds_one_at_a_time() -> None:
    made = book("a", "b")
    add(made, "f", FORGE)
    first = made.hold(SHOP, ONE, ADA, 0)
    assert made.hold(SHOP, ONE, ADA, 1) is first
    made.hold(FORGE, ONE, ADA, 2)
    assert [entry.id for entry in made.entries() if entry.person] == ["f"]


def test_one_that_still_starts_is_waited_for_by_one() -> None:
    made = book("a", ready=False)
    assert chosen(made) == "a"
    made.hold(SHOP, ONE, ADA, 0)
    assert (chosen(made), chosen(made, BOB)) == ("a", Miss.NONE_READY.name)
    made.entries()[0].claimed = True
    assert chosen(made) == Miss.NONE_READY.name


def test_one_is_begun_at_a_time_where_most_are_missing() -> None:
    made = book("a")
    wants = {SHOP: Want("new", 2), FORGE: Want("x", 3)}
    assert made.steps(wants, 0, room=5, refilling=False).make == FORGE
    assert made.steps(wants, 0, room=5, refilling=True).make is None
    assert made.steps(wants, 0, room=0, refilling=False).make is None


def test_a_held_one_does_not_count_as_ready_for_others() -> None:
    made = book("a")
    made.hold(SHOP, ONE, ADA, 0)
    assert made.steps({SHOP: Want("new", 1)}, 0, room=5, refilling=False).make == SHOP


def test_a_stale_one_serves_until_a_newer_one_is_there() -> None:
    made = book("old", make="old")
    wants = {SHOP: Want("new", 1)}
    steps = made.steps(wants, 1, room=1, refilling=False)
    assert (steps.drop, steps.make) == ((), SHOP)
    add(made, "fresh", since=2, ready=False)
    assert dropped(made, wants) == []
    made.ready(SandboxId("fresh"), 3)
    assert dropped(made, wants) == ["old"]


def test_a_stale_one_makes_room_where_there_is_none() -> None:
    made = book("old", "older", make="old")
    wants = {SHOP: Want("new", 2)}
    steps = made.steps(wants, 1, room=0, refilling=False)
    assert ([entry.id for entry, _ in steps.drop], steps.make) == (["old"], SHOP)


def test_an_old_one_is_stale_too() -> None:
    made = book("a")
    assert made.steps({SHOP: Want("new", 1)}, MAX_AGE_SECONDS + 1, room=1, refilling=False).make == SHOP


def test_too_little_room_costs_the_least_needed() -> None:
    made = book("a", "b")
    add(made, "stale", make="old", since=5)
    made.hold(SHOP, ONE, ADA, 0)
    wants = {SHOP: Want("new", 3)}
    assert dropped(made, wants, room=-1) == ["stale"]
    assert dropped(made, wants, room=-2) == ["stale", "b"]
    assert dropped(made, wants, room=-3) == ["stale", "b", "a"]


def test_what_nobody_wants_any_more_goes_but_not_what_is_held() -> None:
    made = book("a", "b")
    made.hold(SHOP, ONE, ADA, 0)
    assert dropped(made, {}) == ["b"]
    assert dropped(made, {SHOP: Want("new", 1)}) == []


def test_demand_sets_the_target_and_is_forgotten() -> None:
    demand = Demand()
    assert demand.target(SHOP, 0, 5) == 0
    demand.typing(SHOP, 0)
    assert demand.target(SHOP, 1, 5) == 1
    for number in range(60):
        demand.session(SHOP, ModelRef.parse("rehearsal/demo"), number * 5)
    assert 3 <= demand.target(SHOP, 300, 5) <= 6
    assert demand.target(SHOP, 300, 0.5) == 2
    assert demand.keys(300) == [SHOP]
    assert (demand.target(SHOP, 300 + KEEP_SECONDS, 5), demand.keys(300 + KEEP_SECONDS)) == (0, [])


class Accounting(RuleBasedStateMachine):
    """Whatever comes in whatever order: with sessions and warm ones together the slots are kept at each tick, nothing
    is begun beyond them, and none is ever given to two."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.taken: set[str] = set()
        self.in_use = self.version = self.count = 0
        self.now = 0.0

    @initialize(total=st.integers(1, 6), most=st.integers(0, 4))
    def begin(self, total: int, most: int) -> None:
        self.total, self.target = total, most

    def starting(self) -> list[Entry]:
        return [entry for entry in self.book.entries() if not entry.ready]

    @rule()
    def tick(self) -> None:
        self.book.end_leases(self.now)
        wants = {key: Want(str(self.version), self.target) for key in KEYS}
        room = self.total - self.in_use - len(self.book)
        steps = self.book.steps(wants, self.now, room=room, refilling=bool(self.starting()))
        for entry, _ in steps.drop:
            assert self.book.remove(entry.id) is entry
        if steps.make:
            assert len(self.book) + self.in_use < self.total
            assert not self.starting()
            self.count += 1
            name = f"w{self.count}"
            add(self.book, name, steps.make, make=str(self.version), since=self.now, ready=False)
        assert len(self.book) <= max(self.total - self.in_use, 0)

    @precondition(lambda self: self.starting())
    @rule()
    def started(self) -> None:
        self.book.ready(self.starting()[0].id, self.now)

    @rule(key=st.sampled_from(KEYS), person=st.sampled_from(PEOPLE))
    def hold(self, key: PoolKey, person: str) -> None:
        self.book.hold(key, ONE, person, self.now)
        assert len([entry for entry in self.book.entries() if entry.person == person]) <= 1

    @rule(key=st.sampled_from(KEYS), person=st.sampled_from(PEOPLE))
    def take(self, key: PoolKey, person: str) -> None:
        found = self.book.choose(key, ONE, person)
        if isinstance(found, Entry) and found.ready:
            assert found.key == key
            assert found.person in ("", person)
            assert found.id not in self.taken
            self.taken.add(found.id)
            self.book.remove(found.id)
            assert found.id not in self.book

    @rule(more=st.booleans())
    def sessions(self, more: bool) -> None:
        self.in_use = min(self.in_use + 1, self.total) if more else max(self.in_use - 1, 0)

    @precondition(lambda self: len(self.book) > 0)
    @rule(which=st.integers(0, 5))
    def lose(self, which: int) -> None:
        self.book.remove(self.book.entries()[which % len(self.book)].id)

    @rule(image=st.booleans())
    def later(self, image: bool) -> None:
        self.now += LEASE_SECONDS / 2
        self.version += image


TestAccounting = Accounting.TestCase
