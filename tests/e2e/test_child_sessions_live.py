"""A real engine that starts a session in another repository, waits for it, and reads what came of it."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

SCRIPTS = Path(__file__).parent / "scripts"


async def test_a_session_hands_work_to_another_repository_and_outlives_a_kill(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make_deployment(OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS))
    await deployment.start()
    second = await asyncio.to_thread(make_repository, tmp_path / "second", NOTE="forty-two\n")
    async with deployment.client() as client:
        await client.post("/api/repositories/import", json={"source": str(second)})
    session = await deployment.begin(make_repository(tmp_path / "first"), "Share the work out.")
    async with deployment.feed(session) as feed:
        child = (await feed.until("child_spawned"))["child"]
        async with deployment.feed(child) as theirs:
            await theirs.until("tool_call_changed")
    await deployment.stop(signal.SIGKILL)

    await deployment.start()
    async with deployment.feed(session) as feed:
        ended = await feed.until("turn_ended")
        said = json.dumps(feed.events)
        [rested] = [row["event"] for row in feed.events if row["event"]["type"] == "child_ended"]
    assert ended["reason"] == "completed", said
    assert "The other session says that the note says forty-two." in said, "the script saw what it expects"
    assert rested["result"]["branch"] == f"outrider/{child}/work"
    assert said.count('"child_spawned"') == 1
    assert await deployment.sessions() == {session, child}
    await the_tree_is_shown(deployment, session, child, rested["result"]["pull_request"])


async def the_tree_is_shown(deployment: Deployment, session: str, child: str, pull_request: str) -> None:
    async with deployment.client() as client:
        tree = (await client.get(f"/api/sessions/{child}/tree")).json()["sessions"]
    assert [(one["id"], one["depth"], one["repository"]) for one in tree] == [
        (session, 0, "first"),
        (child, 1, "second"),
    ]
    listed = await deployment.run_cli("sessions", "--tree")
    assert "└ Read the note aloud." in listed.out
    children = await deployment.run_cli("children", session, "--json")
    assert children.code == 0, "all of them rest"
    assert children.lines[0]["result"]["pull_request"] == pull_request
    stopped = await deployment.run_cli("stop", session, "--children")
    assert "Nothing runs" in stopped.said
