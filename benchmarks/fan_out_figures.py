"""The rows of B5, from its rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, median
from benchmarks.floors.feed_peers import Published, Received

NAME = "B5 fan-out"
FLOOR = "C write()"
CPU_TIMES, FLOOD_TIMES, STUCK_TIMES, ACCEPT_MS = 3.2, 0.7, 1.2, 1.0

Rounds = Mapping[str, Sequence["Round"]]
"""By who fanned out; "ours" is one of them. Empty where it could not be run."""


@dataclass(frozen=True)
class Round:
    """One round with one server."""

    published: Published
    received: Received
    undelivered_us: float = 0
    """Processor time of the same events without a client: what they cost to be made, decided on and stored."""

    @property
    def cpu_us(self) -> float:
        """Processor time of the server that each delivery adds."""
        return (self.published.cpu_us - self.undelivered_us) / max(self.received.deliveries, 1)

    @property
    def whole_us(self) -> float:
        """Processor time of the server for each delivery, with the share of its event."""
        return self.published.cpu_us / max(self.received.deliveries, 1)

    @property
    def rate(self) -> float:
        """Deliveries a second, from the first event to the last delivery."""
        return self.received.deliveries / ((self.received.last_ns - self.published.first_ns) / 1e9)


def cpu_figures(what: str, workload: str, rounds: Rounds) -> list[Figure]:
    """Processor time of a delivery; ours is judged beside the floor."""
    name = f"{NAME}, {what}CPU a delivery"
    floor = median([one.cpu_us for one in rounds[FLOOR]])
    figures = []
    for who, done in rounds.items():
        if not done:
            figures.append(Figure(f"{name}, {who}", "not to be had here", None, "µs", floor, FLOOR, "", None))
            continue
        ours, cpu = who == "ours", median([one.cpu_us for one in done])
        target = f"<= {CPU_TIMES} x" if ours else ""
        ok = cpu <= CPU_TIMES * floor if ours else None
        figures.append(Figure(f"{name}, {who}", workload, cpu, "µs", floor, FLOOR, target, ok))
        if ours:
            whole = median([one.whole_us for one in done])
            figures.append(Figure(f"{name} and a share of its event's, ours", workload, whole, "µs", floor, FLOOR, "",
                                  None))  # fmt: skip
    return figures


def delay_figures(what: str, workload: str, rounds: Rounds, most_ms: float | None = None) -> list[Figure]:
    """From the making of an event to a client that has it; p50 is judged where there is a target."""
    figures = []
    for percent, attribute in (("p50", "p50_us"), ("p99", "p99_us")):
        ours, beside = (
            median([getattr(one.received, attribute) for one in rounds[who]]) / 1000 for who in ("ours", FLOOR)
        )
        judged = most_ms is not None and percent == "p50"
        target, ok = (f"<= {most_ms:g} ms", ours <= most_ms) if judged and most_ms else ("", None)
        figures.append(Figure(f"{NAME}, {what}{percent}", workload, ours, "ms", beside, FLOOR, target, ok))
    return figures


def flood_figures(workload: str, rounds: Rounds) -> list[Figure]:
    """Deliveries a second; ours is judged beside Node's `ws`."""
    rates = {name: median([one.rate for one in done]) for name, done in rounds.items() if done}
    figures = []
    for name in ("Node ws", "websockets broadcast", FLOOR):
        beside = rates.get(name)
        judged = name == "Node ws"
        ok = rates["ours"] >= FLOOD_TIMES * beside if judged and beside is not None else None
        target = f">= {FLOOD_TIMES} x" if judged else ""
        figures.append(Figure(f"{NAME}, flood", workload, rates["ours"], "/s", beside, name, target, ok))
    return figures


def stuck_figures(workload: str, free: Sequence[Round], held: Sequence[Round], events: int) -> list[Figure]:
    """What clients that never read do to the others, and whether all of them are told."""
    ours, beside = (median([one.received.p99_us for one in rounds]) / 1000 for rounds in (held, free))
    told = min(one.received.resynced for one in held)
    unharmed = all(one.received.fewest == events for one in held)
    return [
        Figure(f"{NAME}, clients that never read, p99 of the others", workload, ours, "ms", beside, "all read",
               f"<= {STUCK_TIMES} x", ours <= STUCK_TIMES * beside),
        Figure(f"{NAME}, clients that never read, told to attach again", workload, float(told), "", 5.0, "of", "all",
               told == 5 and unharmed),
    ]  # fmt: skip
