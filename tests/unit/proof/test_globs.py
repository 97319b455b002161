"""Globs over repository paths."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.proof.globs import Globs, fixed_folder


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("tests/**", "tests/a/b.py", True),
        ("tests/**", "mytests/a.py", False),
        ("**/tests/**", "tests/a.py", True),
        ("**/tests/**", "pkg/sub/tests/a.py", True),
        ("**/test_*.py", "test_a.py", True),
        ("**/test_*.py", "a/test_b/c.py", False),
        ("*.py", "a/b.py", False),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "a/.txt", False),
        ("**/*.test.*", "src/x.test.ts", True),
        ("a.b", "aXb", False),
        ("[a].py", "[a].py", True),
        ("tests/**", "tests/line\nbreak.py", True),
    ],
)
def test_a_glob_means_these_paths(glob: str, path: str, matches: bool) -> None:
    assert Globs([glob]).match(path) is matches


def test_no_globs_mean_nothing() -> None:
    assert not Globs([]).match("")


@given(st.text("ab*?.", min_size=1, max_size=8), st.text("ab.", max_size=8))
def test_within_one_folder_it_is_the_usual_glob(glob: str, path: str) -> None:
    assert Globs([glob]).match(path) is fnmatchcase(path, glob)


@given(st.text("ab/*?", min_size=1, max_size=12), st.text("ab/", max_size=12))
def test_what_a_glob_means_is_below_its_fixed_folder(glob: str, path: str) -> None:
    folder = fixed_folder(glob)
    assert not Globs([glob]).match(path) or path == folder or path.startswith(f"{folder}/" if folder else "")
