"""Repositories that cannot be worked on, and one of a gigabyte that can."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

MEGABYTE = 1 << 20
BLOBS = 128
BLOB_BYTES = 8 * MEGABYTE
"""Together 1 GB, in more objects than git would unpack."""


def missing(folder: Path) -> str:
    return str(folder / "missing")


def no_repository(folder: Path) -> str:
    (folder / "file.txt").write_text("no git here\n")
    return str(folder)


def a_file(folder: Path) -> str:
    (folder / "file.txt").write_text("no git here\n")
    return str(folder / "file.txt")


def without_commit(folder: Path) -> str:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "file.txt").write_text("not committed\n")
    return str(folder)


def empty_and_bare(folder: Path) -> str:
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    return str(folder)


def damaged(folder: Path) -> str:
    (folder / ".git").mkdir()
    return str(folder)


def nobody_answers(folder: Path) -> str:
    return "http://127.0.0.1:9/nothing.git"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (missing, "There is no folder"),
        (no_repository, "is not a git repository. Run `git init` and commit in"),
        (a_file, "is not a git repository."),
        (without_commit, "has no commit yet. Commit something there first."),
        (empty_and_bare, "has no commit yet. Commit something there first."),
        (damaged, "is not a git repository."),
        (nobody_answers, "does not answer. Check the address and the network."),
    ],
)
async def test_a_repository_that_cannot_be_read_is_said(
    shared_deployment: Deployment, tmp_path: Path, make: Callable[[Path], str], said: str
) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    source = make(folder)
    before = sorted(folder.rglob("*"))
    known = await shared_deployment.sessions(), await shared_deployment.repositories()
    done = await shared_deployment.run_cli("run", "Only talk.", "--repo", source)
    assert done.code != 0
    assert said in done.said
    assert "Traceback" not in done.said
    async with shared_deployment.client() as client:
        answer = await client.post("/api/sessions", json={"repository": source, "prompt": "Only talk."})
        assert answer.status_code == 422
        assert said in "{sentence} {remedy}".format(**answer.json())
    assert (await shared_deployment.sessions(), await shared_deployment.repositories()) == known
    assert sorted(folder.rglob("*")) == before
    await shared_deployment.rests()


@pytest.fixture
def gigabyte(tmp_path: Path) -> Iterator[Path]:
    """A repository of 1 GB that no compression makes smaller."""
    repository = tmp_path / "gigabyte"
    subprocess.run(["git", "init", "-qb", "main", "--bare", str(repository)], check=True)
    plain = ("-c", "core.compression=0", "-c", "core.bigFileThreshold=1m", "-c", "fastimport.unpackLimit=0")
    importing = subprocess.Popen(
        ["git", *plain, "-C", str(repository), "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert importing.stdin
    noise = os.urandom(BLOB_BYTES - 8)
    with importing.stdin as out:
        out.write(b"commit refs/heads/main\ncommitter Ada <ada@example.com> 0 +0000\ndata 5\nBegin\n")
        for number in range(BLOBS):
            out.write(b"M 644 inline big/%d.bin\ndata %d\n%08d" % (number, BLOB_BYTES, number))
            out.write(noise)
    assert importing.wait() == 0
    yield repository
    shutil.rmtree(repository)


@pytest.mark.timeout(600)
async def test_a_repository_of_a_gigabyte_works(gigabyte: Path, shared_deployment: Deployment) -> None:
    before = peak_memory(shared_deployment)
    done = await shared_deployment.run_cli("run", "Only talk.", "--repo", str(gigabyte), seconds=500)
    assert done.code == 0, done.said + shared_deployment.log()
    assert " %" in done.said
    assert "Nothing to do here, so I only talk." in done.said
    assert peak_memory(shared_deployment) - before < 150 * MEGABYTE
    await shared_deployment.rests()


def peak_memory(deployment: Deployment) -> int:
    """The most bytes that the server has held in memory so far."""
    status = Path(f"/proc/{deployment.server.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
