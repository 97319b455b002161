"""Who is there, as the terminal says it."""

import pytest

from outrider.cli.presence import present
from outrider.model.feed import PresenceFrame, Watching
from outrider.model.person import Person


def watching(name: str, *, typing: bool = False) -> Watching:
    person = Person(name=name, email=f"{name.lower()}@example.org")
    return Watching(person=person, clients=("browser",), typing=typing)


@pytest.mark.parametrize(
    ("people", "count", "typing", "said"),
    [
        ([watching("Ada")], 1, 0, ""),
        ([watching("Ada"), watching("Bob")], 2, 0, "Watching: Ada, Bob"),
        ([watching("Bob", typing=True), watching("Ada")], 2, 1, "Watching: Bob, Ada · Bob is typing"),
        (
            [watching("Bob", typing=True), watching("Ada", typing=True)],
            9,
            2,
            "Watching: Bob, Ada and 7 more · Bob, Ada are typing",
        ),
    ],
)
def test_who_is_there(people: list[Watching], count: int, typing: int, said: str) -> None:
    assert present(PresenceFrame(people=tuple(people), count=count, typing=typing)) == said


def test_a_name_writes_no_control_sequences() -> None:
    frame = PresenceFrame(people=(watching("A\x1b[2Jda"), watching("Bob")), count=2, typing=0)
    assert "\x1b" not in present(frame)
