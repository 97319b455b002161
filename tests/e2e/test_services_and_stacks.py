"""A repository with a database: the agent's own shell and the checks meet the same one, and a stop leaves it be."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

SHOP = Path(__file__).parent / "repositories" / "shop"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The fixture repository, with a commit."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    identity = ("-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com")
    for command in (("init", "-qb", "main"), ("add", "."), (*identity, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


async def test_integration_tests_run_against_postgres_and_a_stop_leaves_it_running(
    shared_deployment: Deployment, shop: Path
) -> None:
    session = await shared_deployment.begin(shop, "Mend the total.")
    async with shared_deployment.feed(session) as feed:
        turn = await feed.turn()
        events = [recorded["event"] for recorded in feed.events]
    states = {event["name"]: (event["state"], event["port"]) for event in events if event["type"] == "service_changed"}
    assert states == {"postgres": ("ready", 5432), "till": ("ready", 8000)}, states
    kinds = [event["type"] for event in events]
    assert kinds.index("service_changed") < kinds.index("tool_call_changed")
    (proof,) = [event["proof"] for event in turn.of("proof_finished")]
    assert proof["verdict"] == "fix_proved", proof
    assert [case["case"] for case in proof["red_to_green"]] == ["tests.test_total::test_total"]
    assert turn.reason == "completed"
    assert turn.of("pull_request_opened")
    async with shared_deployment.client() as client:
        view = (await client.get(f"/api/sessions/{session}")).json()
    assert [(service["name"], service["state"]) for service in view["services"]] == [
        ("postgres", "ready"),
        ("till", "ready"),
    ]
    assert view["previews"] == [{"name": "till", "port": 8000}]
    await a_stop_leaves_the_database_running(shared_deployment, session)


async def a_stop_leaves_the_database_running(deployment: Deployment, session: str) -> None:
    async with deployment.feed(session) as feed:
        ready = await feed.until("sandbox_ready")
        sandbox = ready["handle"]["id"]
        await feed.live()
        await feed.send("prompt", ref="leave", text="Leave processes behind.")
        await deployment.until_runs(sandbox, "sleep 4242")
        before = deployment.running(sandbox, "postgres: walwriter")
        await feed.send("stop", ref="stop")
        await feed.until("turn_ended", reason="stopped")
    assert len(before) == 1
    assert deployment.running(sandbox, "sleep 4242") == []
    assert deployment.running(sandbox, "postgres: walwriter") == before
