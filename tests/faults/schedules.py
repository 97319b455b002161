"""Schedules: what people do to a deployment, and what happens to it, drawn from a seed."""

from dataclasses import dataclass
from random import Random
from typing import Literal

CLIENTS = 5
SESSIONS = 2
STEPS = 24

Deed = Literal["prompt", "stop", "steer", "withdraw", "move", "leave", "return", "kill server", "kill sandbox"]

WEIGHTS: dict[Deed, int] = {
    "prompt": 40,
    "stop": 9,
    "steer": 6,
    "withdraw": 5,
    "move": 5,
    "leave": 8,
    "return": 8,
    "kill server": 3,
    "kill sandbox": 2,
}
PROMPTS = {"talk": 10, "work": 8, "wait": 8, "leave": 3, "die": 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One deed. `frames` is how many frames its client reads first: that is how schedules differ in their timing,
    without a clock."""

    client: int
    session: int
    deed: Deed
    text: str
    frames: int
    choice: float
    """Which of the prompts that wait is meant, from 0 to 1."""


def schedule(seed: int) -> list[Step]:
    """The same seed, the same schedule."""
    random = Random(seed)
    return [_step(random, number) for number in range(STEPS)]


def _step(random: Random, number: int) -> Step:
    deed = "prompt" if number < SESSIONS else random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    kind = random.choices(list(PROMPTS), list(PROMPTS.values()))[0]
    return Step(
        client=random.randrange(CLIENTS),
        session=number if number < SESSIONS else random.randrange(SESSIONS),
        deed=deed,
        text=f"{kind} #{number}",
        frames=random.choice((0, 0, 1, 2, 5, 12)),
        choice=random.random(),
    )
