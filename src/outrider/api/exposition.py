"""Prometheus' text format, version 0.0.4: what a scraper reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from outrider.session.meters import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one name. Counters end in `_total`."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    samples: tuple[tuple[str, Labels, float], ...]
    """What comes after the name, the labels, the value."""

    def text(self) -> str:
        """Its lines."""
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        lines += [f"{self.name}{suffix}{_labels(labels)} {_number(value)}" for suffix, labels, value in self.samples]
        return "\n".join(lines) + "\n"


def gauge(name: str, text: str, samples: Iterable[tuple[Labels, float]]) -> Family:
    """What goes up and down."""
    return Family(name, "gauge", text, tuple(("", labels, value) for labels, value in samples))


def counter(name: str, text: str, samples: Iterable[tuple[Labels, float]]) -> Family:
    """What only grows."""
    return Family(name, "counter", text, tuple(("", labels, value) for labels, value in samples))


def histogram(name: str, text: str, samples: Iterable[tuple[Labels, Histogram]]) -> Family:
    """Durations."""
    rows: list[tuple[str, Labels, float]] = []
    for labels, durations in samples:
        rows += [("_bucket", {**labels, "le": _number(bound)}, count) for bound, count in durations.buckets()]
        rows.append(("_bucket", {**labels, "le": "+Inf"}, durations.count))
        rows += [("_sum", labels, durations.total), ("_count", labels, durations.count)]
    return Family(name, "histogram", text, tuple(rows))


def exposition(families: Iterable[Family]) -> bytes:
    """The whole answer. A family without a sample says its name and type all the same."""
    return "".join(family.text() for family in families).encode()


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
