"""Schedules: what people do to a deployment at once, and what happens to it meanwhile, drawn from a seed."""

from dataclasses import dataclass
from random import Random
from typing import Literal

CLIENTS = 5
SESSIONS = 2
CHECKED = 1
"""The session whose repository has checks."""
BURSTS = 9

Deed = Literal[
    "prompt",
    "stop",
    "stop check",
    "steer",
    "withdraw",
    "move",
    "edit",
    "spawn",
    "leave",
    "return",
    "kill server",
    "end server",
    "kill sandbox",
    "kill sshd",
    "kill engine",
]

WEIGHTS: dict[Deed, int] = {
    "prompt": 40,
    "stop": 9,
    "stop check": 4,
    "steer": 7,
    "withdraw": 5,
    "move": 5,
    "edit": 6,
    "spawn": 2,
    "leave": 8,
    "return": 8,
    "kill server": 3,
    "end server": 1,
    "kill sandbox": 2,
    "kill sshd": 1,
    "kill engine": 5,
}
SERVER = ("kill server", "end server")
PROMPTS = {"talk": 10, "work": 8, "wait": 8, "leave": 4, "die": 2, "deaf": 1}
ENDLESS = ("leave ", "deaf ")
"""How prompts begin whose turns somebody has to stop."""


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


Burst = tuple[Step, ...]
"""What different people do at the same time; the next burst begins when all of it is answered."""


def schedule(seed: int) -> list[Burst]:
    """The same seed, the same schedule."""
    random = Random(seed)
    return [_burst(random, number) for number in range(BURSTS)]


def _burst(random: Random, number: int) -> Burst:
    """The first has a prompt for each session. A server dies once in a burst: the others meet it dead."""
    clients = random.sample(range(CLIENTS), k=random.choice((1, 2, 3, 5)) if number else SESSIONS)
    steps: list[Step] = []
    for place, client in enumerate(clients):
        step = _step(random, client, f"#{number}.{place}")
        if number == 0:
            step = Step(client, place, "prompt", step.text, step.frames, step.choice)
        elif step.deed in SERVER and any(other.deed in SERVER for other in steps):
            step = Step(client, step.session, "return", step.text, step.frames, step.choice)
        steps.append(step)
    return tuple(steps)


def _step(random: Random, client: int, name: str) -> Step:
    kind = random.choices(list(PROMPTS), list(PROMPTS.values()))[0]
    session = random.randrange(SESSIONS)
    deed = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return Step(
        client=client,
        session=CHECKED if deed == "stop check" else session,
        deed=deed,
        text=f"{kind} {name}",
        frames=random.choice((0, 0, 1, 2, 5, 12)),
        choice=random.random(),
    )
