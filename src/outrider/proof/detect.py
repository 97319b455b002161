"""What a repository without `outrider.toml` is probably set up and checked with."""

from collections.abc import Mapping

from outrider.proof.detect_node import detect_node
from outrider.proof.detect_python import detect_python
from outrider.proof.found import Found
from outrider.proof.recipe import RECIPE_FILE, Recipe

DETECTED_FILES = frozenset({"pyproject.toml", "package.json"})
"""The files whose content is looked at; of all others only the names."""

FILE_BYTES_LIMIT = 1 << 20

NOTHING_FOUND = (
    f"No checks are known for this repository: write an {RECIPE_FILE} at its root that names them, "
    "so that changes can be proved."
)


def detect(paths: frozenset[str], contents: Mapping[str, bytes]) -> Recipe:
    """The recipe for a tree of these paths, with the contents of those in `DETECTED_FILES`. Never raises: what cannot
    be read is not detected, and a recipe without checks says what to do."""
    found = [
        part
        for part in (
            detect_python(paths, contents["pyproject.toml"]) if "pyproject.toml" in contents else None,
            detect_node(paths, contents["package.json"]) if "package.json" in contents else None,
        )
        if part is not None
    ]
    if not found:
        return Recipe(source="", notice=NOTHING_FOUND)
    return Recipe(
        packages=tuple(name for part in found for name in part.packages),
        setup=tuple(line for part in found for line in part.setup),
        setup_inputs=_joined_inputs(found),
        checks=tuple(part.check for part in found),
        source=" and ".join(part.source for part in found),
        notice=f"The checks were detected. Write an {RECIPE_FILE} to say them yourself.",
    )


def _joined_inputs(found: list[Found]) -> tuple[str, ...] | None:
    """What all setups together depend on; None (everything) where one of them cannot say."""
    joined: list[str] = []
    for part in found:
        if part.setup_inputs is None:
            return None
        joined.extend(part.setup_inputs)
    return tuple(joined)
