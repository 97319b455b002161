"""Unified diffs: git applies every one, and none takes long."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.engines.diffs import DIFF_LIMIT, unified_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "", "    return 1", "@@ -1 +1 @@", "--- x"]), max_size=30).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TEXTS, new=TEXTS)
def test_patch_turns_the_old_text_into_the_new(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "file").write_text(old)
    diff = unified_diff("file", old, new).diff
    if old != new:
        patch = ("patch", "--quiet", "--fuzz=0", "--unified", str(tmp_path / "file"))
        subprocess.run(patch, input=diff, text=True, check=True, capture_output=True)
    assert (tmp_path / "file").read_text() == new


def test_line_numbers_are_those_of_the_file() -> None:
    lines = [f"line {number}\n" for number in range(1, 101)]
    diff = unified_diff("notes.txt", "".join(lines), "".join([*lines[:49], "changed\n", *lines[50:]])).diff
    assert diff == (
        "--- notes.txt\n+++ notes.txt\n@@ -47,7 +47,7 @@\n line 47\n line 48\n line 49\n"
        "-line 50\n+changed\n line 51\n line 52\n line 53\n"
    )


def test_a_new_file_comes_from_nowhere() -> None:
    assert unified_diff("a.txt", None, "one\n").diff == "--- /dev/null\n+++ a.txt\n@@ -0,0 +1,1 @@\n+one\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([f"old {n}" for n in range(20_000)], [f"new {n}" for n in range(20_000)]),
        (["a", "b"] * 10_000, ["a"] * 20_000),
        (["a", "b"] * 250, ["a"] * 499),
        ([str(n % 5) for n in range(500)], [x for n in range(249) for x in (str(n % 5), f"new {n}")]),
    ],
)
def test_texts_that_are_made_to_be_slow_are_not(old: list[str], new: list[str]) -> None:
    began = time.process_time()
    diff = unified_diff("big.txt", "\n".join(["x", *old, "x"]), "\n".join(["y", *new, "y"]))
    assert time.process_time() - began < 1
    assert len(diff.diff) == DIFF_LIMIT or not diff.truncated
