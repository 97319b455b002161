"""Globs over the paths of a repository: `*` and `?` within one folder, `**/` any folders, `**` anything."""

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Globs:
    """Some globs, compiled once."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._pattern = re.compile("|".join(_translate(glob) for glob in globs) or "(?!)", re.DOTALL)

    def match(self, path: str) -> bool:
        """Whether one of the globs means this path."""
        return self._pattern.fullmatch(path) is not None


def fixed_folder(glob: str) -> str:
    """The folders before the first wildcard: all that a glob can mean is below. The path itself where it has none."""
    plain = re.split(r"[*?]", glob, maxsplit=1)[0]
    return plain if plain == glob else plain.rpartition("/")[0]


def _translate(glob: str) -> str:
    return "".join(_MEANING.get(token) or re.escape(token) for token in _TOKEN.findall(glob))
