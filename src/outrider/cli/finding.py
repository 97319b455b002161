"""What the doctor found about one part."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    WORKS = "works"
    UNTRIED = "untried"
    """It is set up, and to try it is not the doctor's to do."""
    WEAKER = "weaker"
    """It works, less well than it could."""
    ABSENT = "absent"
    """It does not work and nothing needs it."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one part."""

    part: str
    state: State
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return {name: str(value) for name, value in asdict(self).items()}
