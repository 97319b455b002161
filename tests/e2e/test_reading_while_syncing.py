"""Reading while syncing, with the real sandbox and engine: the sync is held until the test lets it go."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SCRIPTS
from tests.e2e.deployment import Deployment, Feed, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
HOLD = """#!/bin/sh
[ "$1" = prepared ] && grep -q refs/remotes || exit 0
until git -c http.proxy= ls-remote http://127.0.0.1:4180/git/repository.git refs/heads/go | grep -q go
do sleep 0.1; done
"""
"""A hook that git in the sandbox runs when a fetch has its objects: the image's setup has told it to."""

RECIPE = """
setup = [
  "mkdir ~/hooks",
  "cp hold.sh ~/hooks/reference-transaction; chmod +x ~/hooks/*",
  "git config --global core.hooksPath ~/hooks",
]
setup_inputs = ["lock.txt"]
"""


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


async def tool(feed: Feed, kind: str, **wanted: Any) -> None:
    """Go on to a tool call of this kind."""
    while True:
        update = (await feed.until("tool_call_changed"))["update"]
        if update["kind"] == kind and all(update[name] == value for name, value in wanted.items()):
            return


async def test_a_read_happens_before_the_sync_and_an_edit_after_it(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make_deployment(OUTRIDER_IMAGE_BUILDS="1", OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS))
    await deployment.start()
    files = {
        "outrider.toml": RECIPE,
        "hold.sh": HOLD,
        "notes.txt": "first old\n\n\n\nlast line\n",
    }
    repository = make_repository(tmp_path / "diary", **files)
    built = await deployment.run_cli("images", "build", str(repository))
    assert built.code == 0, built.said + deployment.log()
    (repository / "notes.txt").write_text("first new\n\n\n\nlast line\n")
    git(repository, *IDENTITY, "commit", "-qam", "Move on")

    session = await deployment.begin(repository, "Read the notes, then edit them.")
    async with deployment.feed(session) as feed:
        ready = await feed.until("sandbox_ready")
        assert ready["how"] == "image", deployment.log()
        await tool(feed, "read")
        await tool(feed, "edit")
        assert not [one for one in feed.events if one["event"]["type"] in ("sync_finished", "permission_decided")]
        [mirror] = (deployment.home.path / "forge").rglob("diary.git")
        git(mirror, "update-ref", "refs/heads/go", git(mirror, "rev-parse", "main"))
        finished = await feed.until("sync_finished")
        assert (finished["moved"], finished["files"], finished["setup_ran"]) == (True, ["notes.txt"], False)
        assert "notes.txt" in (await feed.until("engine_told"))["text"]
        ended = await feed.until("turn_ended")
        assert ended["reason"] == "completed", ended
    changed = git(mirror, "diff", "--unified=0", "main", f"outrider/{session}/work")
    assert [line for line in changed.splitlines() if line[0] in "+-"][2:] == ["-last line", "+last line, edited"]


async def test_the_engine_starts_while_a_clone_is_set_up(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    """The setup is good only where it sees the engine: one after the other it would fail."""
    deployment = make_deployment(OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS))
    await deployment.start()
    look = "for n in $(seq 300); do pgrep -f [o]pencode.acp && exit 0; sleep 0.05; done; exit 3"
    recipe = f'setup = ["{look}"]\n'
    repository = make_repository(tmp_path / "cold", **{"outrider.toml": recipe})
    session = await deployment.begin(repository, "Commit a file.")
    async with deployment.feed(session) as feed:
        assert (await feed.until("sandbox_ready"))["how"] == "cold"
        finished = await feed.until("sync_finished")
        assert (finished["moved"], finished["setup_ran"]) == (False, True)
        assert [told for told in feed.events if told["event"]["type"] == "problem_reported"] == []
        assert (await feed.until("permission_decided"))["allowed"]
