"""Sleep, loss, rewind and fork with a real sandbox and a real engine."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployment import Deployment, Feed, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox, pytest.mark.timeout(600)]

SCRIPTS = Path(__file__).parent / "scripts"
NOTE = "Take a note."


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one file."""
    return make_repository(tmp_path / "plain")


async def take_note(feed: Feed) -> tuple[str, dict[str, Any]]:
    """One more turn: how many notes there are then, and how the engine came to it."""
    turn = await feed.ask(NOTE)
    said = json.dumps(turn.events)
    notes = said.rpartition("notes: ")[2][:1]
    return notes, next((event for event in turn.events if event["type"] == "engine_attached"), {})


async def asleep(feed: Feed) -> None:
    """Read on until the sandbox is gone and its files are stored."""
    await feed.until("snapshot_taken", reason="sleep")
    await feed.until("snapshot_stored")


def boxes(deployment: Deployment) -> list[Path]:
    """The folders of sandboxes that exist."""
    return list((deployment.home.path / "sandboxes/sandboxes").iterdir())


def lose_snapshots(deployment: Deployment) -> None:
    """Delete every snapshot layer of the machine."""
    for layer in (deployment.home.path / "sandboxes/guest/layers").glob("snap-*"):
        shutil.rmtree(layer)


async def test_a_session_sleeps_wakes_is_lost_goes_back_and_is_forked(
    make_deployment: Callable[..., Deployment], repository: Path
) -> None:
    deployment = make_deployment(OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS), OUTRIDER_IDLE_SECONDS="1")
    await deployment.start()
    session = await deployment.begin(repository, NOTE)
    async with deployment.feed(session) as feed:
        await feed.until("turn_ended")
        await asleep(feed)
        assert boxes(deployment) == []
        notes, attached = await take_note(feed)
        assert (notes, attached["how"]) == ("2", "resumed"), "the same files, and the engine knows its session"
        await asleep(feed)
    await deployment.stop()
    await asyncio.to_thread(lose_snapshots, deployment)
    await deployment.start()
    async with deployment.feed(session) as feed:
        await feed.live()
        notes, attached = await take_note(feed)
        assert (notes, attached["how"]) == ("3", "resumed")
        await asleep(feed)

        rewound = await deployment.run_cli("rewind", session, "1")
        assert rewound.code == 0, rewound.said
        assert "/work-4" in rewound.out
        notes, attached = await take_note(feed)
        assert (notes, attached["how"]) == ("2", "resumed")
        await asleep(feed)

    await goes_on_alone(deployment, session)
    await asyncio.to_thread(tear_the_engines_memory, deployment)
    await goes_on_from_its_transcript(deployment, session)
    await goes_on_elsewhere(deployment, make_deployment, session)


async def goes_on_from_its_transcript(deployment: Deployment, session: str) -> None:
    """An engine whose home is spoilt is told the story, and does nothing of it again."""
    async with deployment.feed(session) as feed:
        await feed.live()
        turn = await feed.ask(NOTE)
        assert [event["how"] for event in turn.of("engine_attached")] == ["reseeded"]
        assert "I was told that I took notes before" in turn.text
        assert "notes: 3" in json.dumps(turn.events), "one more note, and none of the old ones once again"
        await asleep(feed)


def tear_the_engines_memory(deployment: Deployment) -> None:
    """Leave half of every engine's database on this machine."""
    torn = 0
    for database in (deployment.home.path / "sandboxes/guest/layers").rglob("opencode.db"):
        for log in database.parent.glob("opencode.db-*"):
            log.unlink()
        with database.open("r+b") as file:
            file.truncate(database.stat().st_size // 2)
        torn += 1
    assert torn


async def goes_on_elsewhere(deployment: Deployment, make: Callable[..., Deployment], session: str) -> None:
    """A backup, taken from the running server, brings the session with its files to another home."""
    archive = deployment.home.path.parent / "backup.tar.zst"
    for arguments in (("backup", str(archive)), ("restore", "--check", str(archive))):
        done = await deployment.run_cli(*arguments)
        assert done.code == 0, done.said
        assert "2 sessions" in done.out
    await deployment.stop()
    await asyncio.to_thread(lose_snapshots, deployment)
    other = make("elsewhere", **deployment.variables)
    restored = await other.run_cli("restore", str(archive))
    assert restored.code == 0, restored.said
    await other.start()
    async with other.feed(session) as feed:
        await feed.live()
        notes, attached = await take_note(feed)
        assert (notes, attached["how"]) == ("4", "resumed")


async def goes_on_alone(deployment: Deployment, session: str) -> None:
    """A fork from the third turn has its notes, its engine's memory and a branch of its own."""
    forked = await deployment.run_cli("fork", session, "--turn", "3")
    assert forked.code == 0, forked.said
    child = forked.out.split()[0]
    async with deployment.feed(child) as feed:
        await feed.live()
        notes, attached = await take_note(feed)
        assert (notes, attached["how"]) == ("4", "resumed")
        opened = [row["event"] for row in feed.events if row["event"]["type"] == "branch_pushed"]
        assert {event["branch"] for event in opened} == {f"outrider/{child}/work"}
