"""The same contract for a plain user: the suite runs once more in a process of that user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.testing.plain_user import PLAIN_UID, as_plain_user

ROOT = Path(__file__).parents[2]
CHOSEN = "not Fake and not docker"

FOLDERS = ("tests/contract/test_sandboxes.py", "tests/contract/test_sandbox_limits.py", "tests/security")


@pytest.mark.sandbox
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="the suite itself runs as a plain user")
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_plain_user_gets_the_same(folder: str) -> None:
    state = ROOT / ".state" / "test" / f"uid-{PLAIN_UID}"
    state.mkdir(parents=True, exist_ok=True)
    os.chown(state, PLAIN_UID, PLAIN_UID)
    pytest_of_them = [
        sys.executable,
        "-m",
        "pytest",
        folder,
        "-p",
        "no:cacheprovider",
        "-k",
        CHOSEN,
        "-m",
        "sandbox",
    ]
    argv = as_plain_user(pytest_of_them, ROOT / ".state" / "test" / "plain-home")
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    if "limits" not in folder:  # control groups are not a plain user's to write
        assert "skipped" not in done.stdout
