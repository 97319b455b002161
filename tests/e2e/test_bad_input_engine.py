"""An engine that dies, at its start or in the middle of a turn, and a guest that cuts its own connection."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.deployment import Deployment, Turn, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

DIED = "The engine opencode ended with exit code 137"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("engine") / "plain")


async def test_an_engine_killed_in_the_middle_is_taken_up_again(
    shared_deployment: Deployment, repository: Path
) -> None:
    session = await shared_deployment.begin(repository, "Wait a little.")
    async with shared_deployment.feed(session) as feed:
        sandbox = (await feed.until("sandbox_ready"))["handle"]["id"]
        await feed.until("prompt_handed")
        await shared_deployment.until_runs(sandbox, "sleep")
        for process in shared_deployment.running(sandbox, "opencode acp"):
            os.kill(process, signal.SIGKILL)
        interrupted = await feed.until("turn_interrupted")
        assert DIED in interrupted["reason"]
        assert not interrupted["final"]
        assert (await feed.until("engine_attached"))["how"] == "resumed"
        assert (await feed.until("turn_ended"))["reason"] == "completed"
        assert shared_deployment.running(sandbox, "sleep") == []


async def test_an_engine_that_always_dies_ends_with_a_reason(shared_deployment: Deployment, repository: Path) -> None:
    session = await shared_deployment.begin(repository, "Kill your engine every time.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
        assert [event["final"] for event in turn.of("turn_interrupted")] == [False, False, True]
        assert turn.reason == "failed"
        assert DIED in turn.message
        assert left(shared_deployment, turn, "sleep") == []
        assert (await feed.ask("Only talk.")).reason == "completed"


@pytest.mark.parametrize(
    ("prompt", "said", "end"),
    [
        ("Break your engine.", "opencode.json", "It starts all the same."),
        ("Garble your engine.", "lines that are no ACP message", "It speaks clearly all the same."),
    ],
)
async def test_an_engine_that_does_not_start_says_why_and_gets_a_fresh_folder(
    shared_deployment: Deployment, repository: Path, prompt: str, said: str, end: str
) -> None:
    session = await shared_deployment.begin(repository, prompt)
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
    (problem,) = turn.of("problem_reported")
    assert said in problem["sentence"]
    assert "put aside" in problem["sentence"]
    assert turn.reason == "completed", turn.message
    assert end in turn.text
    assert left(shared_deployment, turn, "sleep") == []


async def test_an_engine_that_is_garbled_in_the_middle_is_taken_up_again(
    shared_deployment: Deployment, repository: Path
) -> None:
    session = await shared_deployment.begin(repository, "Write noise between your own words.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
    (interrupted,) = turn.of("turn_interrupted")
    assert "lines that are no ACP message" in interrupted["reason"]
    assert not interrupted["final"]
    assert turn.reason == "completed", turn.message
    assert "It speaks clearly again." in turn.text
    assert left(shared_deployment, turn, "sleep") == left(shared_deployment, turn, "yes") == []


async def test_a_guest_that_kills_its_sshd_is_connected_again_with_its_files(
    shared_deployment: Deployment, repository: Path
) -> None:
    session = await shared_deployment.begin(repository, "Kill the sshd once.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
    (lost,) = turn.of("sandbox_lost")
    (interrupted,) = turn.of("turn_interrupted")
    assert lost["reason"] == interrupted["reason"]
    assert not interrupted["final"]
    assert turn.reason == "completed", turn.message
    assert "I am back, and the file is there." in turn.text
    assert left(shared_deployment, turn, "sleep") == []


def left(deployment: Deployment, turn: Turn, words: str) -> list[int]:
    """What runs in the turn's sandbox."""
    return deployment.running(turn.of("sandbox_ready")[-1]["handle"]["id"], words)


async def test_an_engine_that_never_starts_is_said_on_each_surface(
    make_deployment: Callable[..., Deployment], repository: Path
) -> None:
    deployment = make_deployment()
    deployment.program = "tests.e2e.dead_engine_server:main"
    await deployment.start()
    done = await deployment.run_cli("run", "Only talk.", "--repo", str(repository))
    assert done.code == 1
    assert "Failed The engine opencode ended with exit code 1. Nothing had been changed." in done.said
    assert done.said.count("It goes on by itself.") == 2
    (session,) = await deployment.sessions()
    async with deployment.client() as client:
        result = (await client.get(f"/api/sessions/{session}/result")).json()
    assert (result["ok"], result["reason"], result["usage"]["calls"]) == (False, "failed", 0)
    async with deployment.feed(session) as feed:
        turn = await feed.turn()
    assert [event["final"] for event in turn.of("turn_interrupted")] == [False, False, True]
    assert turn.message.startswith("The engine opencode ended with exit code 1.")
    assert left(deployment, turn, "opencode") == []
    await deployment.rests()
