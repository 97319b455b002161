"""Recipes that do not work: a setup that fails, checks that hang, checks that print without end."""

from pathlib import Path
from typing import Any

import pytest

from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.deployment import Deployment, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

FAILING = """\
setup = ["echo cannot be set up; false", "touch never"]

[[checks]]
name = "tests"
command = "true"
"""

WILD = """\
[[checks]]
name = "hangs"
command = "sleep 4321"
timeout_seconds = 1

[[checks]]
name = "prints"
command = "yes 0123456789012345678901234567890123456789 | head -c 100000000; echo the end"
"""

MEGABYTE = 1 << 20


async def test_a_setup_that_fails_is_said_and_the_session_goes_on(
    shared_deployment: Deployment, namespaces_provider: NamespaceProvider, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "failing", **{"outrider.toml": FAILING})
    session = await shared_deployment.begin(repository, "Commit a file.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
    setup = next(event for event in turn.of("stage_reported") if event["stage"] == "setup")
    assert setup["failed"]
    assert "ended with exit code 1" in setup["text"]
    assert "cannot be set up" in setup["text"]
    assert turn.reason == "completed"
    (proof,) = [event["proof"] for event in turn.of("proof_finished")]
    assert {result["verdict"] for result in proof["results"]} == {"setup_failed"}
    assert turn.of("pull_request_opened")
    done = await shared_deployment.run_cli("attach", session, "--until-idle")
    assert done.code == 1
    assert "the checks could not be run, so nothing is proved" in done.said
    await assert_clean(shared_deployment, namespaces_provider)


async def test_checks_that_hang_or_print_without_end_are_bounded_and_said(
    shared_deployment: Deployment, namespaces_provider: NamespaceProvider, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "wild", **{"outrider.toml": WILD})
    session = await shared_deployment.begin(repository, "Commit a file.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
    proof = turn.of("proof_finished")[-1]["proof"]
    hung, printed = (only(proof, name) for name in ("hangs", "prints"))
    assert hung["verdict"] == "timed_out"
    assert 1 <= hung["seconds"] < 30
    assert (printed["verdict"], printed["exit_code"]) == ("passed", 0)
    assert printed["tail"].rstrip().endswith("the end")
    log = await shown(shared_deployment, session, printed["log"])
    assert len(log) < 20 * MEGABYTE
    assert "bytes are not kept" in log
    assert printed["log_truncated"]
    assert printed["log_bytes"] > 95 * MEGABYTE
    assert turn.reason == "completed"
    assert sum(path.stat().st_size for path in (shared_deployment.home.path / "blobs").rglob("*")) < 60 * MEGABYTE
    await assert_clean(shared_deployment, namespaces_provider)


def only(proof: dict[str, Any], name: str) -> dict[str, Any]:
    """What a check gave on the head."""
    (result,) = [result for result in proof["results"] if (result["name"], result["phase"]) == (name, "after")]
    return dict(result)


async def shown(deployment: Deployment, session: str, artifact: str) -> str:
    async with deployment.client() as client:
        return (await client.get(f"/api/sessions/{session}/artifacts/{artifact}")).text


async def assert_clean(deployment: Deployment, provider: NamespaceProvider) -> None:
    """Of clean runs nothing is left, and no git of the server runs."""
    assert [info.labels for info in await provider.list({}) if "session" not in info.labels] == []
    await deployment.rests()
