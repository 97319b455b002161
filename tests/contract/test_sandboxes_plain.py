"""The same contract for a plain user: the suite runs once more in a process of that user's."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers, write_layer
from outrider.testing.plain_user import PLAIN_UID, as_plain_user
from tests.conftest import HANDED

ROOT = Path(__file__).parents[2]
CHOSEN = "not Fake and not docker and not trusted_unless"
"""The second test of crashes has the same ways as the first, and a plain user copies a base for it for ten seconds."""

SUITES = (
    "tests/contract/test_sandboxes.py",
    "tests/contract/test_sandbox_limits.py",
    "tests/contract/test_nameless_memory.py",
    *(f"tests/contract/test_sandbox_{name}.py" for name in ("remains", "crashes", "services", "snapshots")),
    "tests/security",
)

NOT_THEIRS = ("control groups", "this tier does not promise it", "only root may mount", "needs root")
"""Reasons for which a plain user may skip a test."""


@pytest.fixture(scope="module")
def handed(base_layers: BaseLayers, make_namespaces_provider: Callable[[], NamespaceProvider]) -> None:
    """The layers of the tests, where the user takes them from."""
    HANDED.mkdir(parents=True, exist_ok=True)
    for layer in (base_layers.base, base_layers.toolbox):
        if not (HANDED / f"{layer}.tar").exists():
            asyncio.run(write_layer(layer, make_namespaces_provider(), HANDED))


@pytest.mark.sandbox
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("handed")
@pytest.mark.skipif(os.geteuid() != 0, reason="the suite itself runs as a plain user")
def test_a_plain_user_gets_the_same() -> None:
    state = ROOT / ".state" / "test" / f"uid-{PLAIN_UID}"
    state.mkdir(parents=True, exist_ok=True)
    os.chown(state, PLAIN_UID, PLAIN_UID)
    chosen = ["-p", "no:cacheprovider", "-k", CHOSEN, "-m", "sandbox", "-rs"]
    pytest_of_them = [sys.executable, "-m", "pytest", *SUITES, *chosen]
    argv = as_plain_user(pytest_of_them, ROOT / ".state" / "test" / "plain-home")
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if not any(reason in line for reason in NOT_THEIRS)] == []
