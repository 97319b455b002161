"""Machines that lack something: a home that cannot be written, a port, bubblewrap, user namespaces, free space."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from outrider.app.home import Home
from tests.e2e.deployment import Deployment, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount in the place of something else")

MEGABYTE = 1 << 20
HOME_BYTES = 48 * MEGABYTE
FORBID = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
"""Run in a user namespace of its own, so that nobody else's is forbidden."""

HIDE = 'mount --bind /dev/null "$(command -v bwrap)" && exec "$@"'
"""Run in a mount namespace of its own: for everybody else bubblewrap stays where it is."""


@pytest.mark.parametrize("command", [("up",), ("up", "--detach"), ("run", "Only talk.")])
async def test_a_file_in_the_place_of_the_home_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("not a folder\n")
    done = await Deployment(Home(tmp_path / "file")).run_cli(*command, seconds=60)
    assert done.code == 1
    assert "cannot be written" in done.said
    assert "set OUTRIDER_HOME to a folder of yours" in done.said
    assert (tmp_path / "file").read_text() == "not a folder\n"


READ_ONLY = 'mount --bind "$HOME_OF_IT" "$HOME_OF_IT" && mount -o remount,bind,ro "$HOME_OF_IT" && exec "$@"'
"""Run in a mount namespace of its own: root may write everywhere but where nobody may."""


@pytest.mark.parametrize("command", [("up",), ("run", "Only talk.")])
async def test_a_home_without_the_right_to_write_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "mine").write_text("kept\n")
    place.chmod(0o500)
    prefix = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh") if os.geteuid() == 0 else ()
    deployment = Deployment(Home(place / "home"), {"HOME_OF_IT": str(place)}, prefix)
    done = await deployment.run_cli(*command, seconds=60)
    why = "Read-only file system" if os.geteuid() == 0 else "Permission denied"
    assert done.code == 1
    unwrapped = "".join(done.said.split())
    assert f"{place}/home cannot be written: {why}.".replace(" ", "") in unwrapped
    assert "set OUTRIDER_HOME to a folder of yours" in done.said
    assert "Traceback" not in done.said
    assert [path.name for path in place.iterdir()] == ["mine"]


async def test_a_taken_port_means_the_next_free_one(make_deployment: Callable[..., Deployment]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        deployment = make_deployment(OUTRIDER_PORT=str(port))
        running = await deployment.start()
        assert port < int(running.url.rpartition(":")[2]) < port + 100
        done = await deployment.run_cli("up", seconds=60)
        assert done.code == 1
        assert f"A server already runs in {deployment.home.path} at {running.url}." in done.said
        assert "outrider down" in done.said
        async with deployment.client() as client:
            assert (await client.get("/api/health")).status_code == 200


@root_only
async def test_a_missing_bubblewrap_is_said_with_the_line_that_installs_it(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make_deployment(prefix=("unshare", "--mount", "sh", "-c", HIDE, "sh"))
    told = await doctor_and_session(deployment, make_repository(tmp_path / "plain"))
    assert all("apt-get install" in said and "bubblewrap" in said for said in told), told


async def test_forbidden_user_namespaces_are_said_with_what_to_do(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make_deployment(prefix=("unshare", "--user", "--map-root-user", "sh", "-c", FORBID, "sh"))
    told = await doctor_and_session(deployment, make_repository(tmp_path / "plain"))
    assert all("max_user_namespaces" in said for said in told), told


async def doctor_and_session(deployment: Deployment, repository: Path) -> list[str]:
    """What the doctor says, and the end of a session's turn on the feed. Neither leaves anything running."""
    doctor = await deployment.run_cli("doctor")
    assert doctor.code == 1
    await deployment.start()
    session = await deployment.begin(repository, "Only talk.")
    async with deployment.feed(session) as feed:
        turn = await feed.turn()
    assert turn.reason == "failed"
    await deployment.rests()
    return [doctor.said, turn.message]


@root_only
async def test_a_full_disk_is_said_and_nothing_is_lost(
    make_deployment: Callable[..., Deployment], shared_variables: dict[str, str], tmp_path: Path
) -> None:
    deployment = make_deployment(**shared_variables, OUTRIDER_FREE_DISK_BYTES="0")
    repository = make_repository(tmp_path / "plain")
    with small_disk(deployment.home.path) as fill:
        await deployment.start()
        session = await deployment.begin(repository, "Wait a little.")
        async with deployment.feed(session) as feed:
            sandbox = (await feed.until("sandbox_ready"))["handle"]["id"]
            await deployment.until_runs(sandbox, "sleep")
            free = fill()
            long = "Only talk. " + "x" * 200_000
            assert "disk is full" in await refused(deployment, f"/api/sessions/{session}/prompts", text=long)
            assert "disk is full" in await refused(
                deployment, "/api/sessions", repository=str(repository), prompt="Only talk."
            )
            free()
            await feed.send("prompt", ref="again", text="Only talk.")
            assert (await feed.answer("again"))["kind"] == "accepted"
            await feed.send("stop", ref="stop")
            assert (await feed.until("turn_ended"))["reason"] == "stopped"
            assert (await feed.until("turn_ended"))["reason"] == "completed"
            assert feed.numbers == list(range(1, len(feed.numbers) + 1))
        await deployment.stop()


async def refused(deployment: Deployment, path: str, **body: str) -> str:
    """The sentence with which a request is refused."""
    async with deployment.client() as client:
        answer = await client.post(path, json=body)
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["sentence"])


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], Callable[[], None]]]:
    """A small disk in the place of a home. Gives what fills it, which gives what frees it."""
    sandboxes = (folder / "sandboxes").readlink()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={HOME_BYTES},mode=700", "tmpfs", str(folder)], check=True)
    (folder / "sandboxes").symlink_to(sandboxes)

    def fill() -> Callable[[], None]:
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return filler.unlink

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
