"""One finding of the detection."""

from dataclasses import dataclass

from outrider.proof.recipe import CheckSpec


@dataclass(frozen=True, slots=True)
class Found:
    """How one language of a repository is set up and checked."""

    source: str
    check: CheckSpec
    setup: tuple[str, ...] = ()
    setup_inputs: tuple[str, ...] | None = ()
    packages: tuple[str, ...] = ()
