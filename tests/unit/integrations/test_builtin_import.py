"""Importing: every kind of source, every reason why not, and what people are told."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from outrider.integrations.builtin.forge import BuiltinForge
from outrider.integrations.builtin.git import Git
from outrider.integrations.builtin.importing import Importer, create_mirror
from outrider.integrations.builtin.source import RemoteSource
from outrider.model.errors import RepositoryError
from outrider.ports.clock import SystemClock
from outrider.testing.forge_contract import BRANCH, draft, silent
from outrider.testing.git_source import GitSource
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog
from outrider.testing.store_contract import ADA


@pytest.fixture
def forge(tmp_path: Path) -> BuiltinForge:
    return BuiltinForge(tmp_path / "forge", MemoryForgeCatalog(), SystemClock(), public_base=lambda: "http://localhost")


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource.create(tmp_path / "shop", {"a.txt": "a\n", "b.txt": "b\n"})


@asynccontextmanager
async def http_server(answer: bytes) -> AsyncIterator[str]:
    """A server that gives every request the same answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_two_sources_of_one_name_get_two_names(forge: BuiltinForge, source: GitSource, tmp_path: Path) -> None:
    other = GitSource.create(tmp_path / "other" / "shop", {"x": "y"})
    assert (await forge.find(str(source.folder), silent)).name == "shop"
    assert (await forge.find(str(other.folder), silent)).name == "shop-2"
    assert (await forge.find(str(source.folder), silent)).name == "shop"


async def test_the_same_source_twice_at_once_is_one_repository(forge: BuiltinForge, source: GitSource) -> None:
    async with asyncio.TaskGroup() as tasks:
        finds = [tasks.create_task(forge.find(str(source.folder), silent), name="find") for _ in range(4)]
    assert {find.result().name for find in finds} == {"shop"}
    assert len(await forge.repositories()) == 1


async def test_a_source_with_nothing_new_is_not_fetched_again(forge: BuiltinForge, source: GitSource) -> None:
    first, again, more = list[str](), list[str](), list[str]()
    await forge.find(str(source.folder), first.append)
    repository = await forge.find(str(source.folder), again.append)
    assert len(first) > 1
    assert again == [f"Reading {source.folder}"]
    newest = source.commit("More", {"c.txt": "c\n"})
    await forge.find(str(source.folder), more.append)
    assert len(more) > 1
    assert await forge.head(repository, None) == ("main", newest)


async def test_a_fetch_that_was_cut_off_before_its_end_is_ended_by_the_next(
    forge: BuiltinForge, source: GitSource
) -> None:
    older = source.head()
    newest = source.commit("More", {"c.txt": "c\n"})
    repository = await forge.find(str(source.folder), silent)
    await Git(forge.mirror(repository)).run("update-ref", "refs/heads/main", older)
    await forge.find(str(source.folder), silent)
    assert await forge.head(repository, None) == ("main", newest)


async def test_uncommitted_files_are_named_and_left_out(forge: BuiltinForge, source: GitSource) -> None:
    source.write({"a.txt": "changed\n", "new/c.txt": "c\n", "ignored.log": "x", ".git/info/exclude": "*.log\n"})
    (source.folder / "b.txt").unlink()
    told: list[str] = []
    repository = await forge.find(str(source.folder), told.append)
    assert told[-1] == "3 files have uncommitted changes and are left out: a.txt, b.txt, new/c.txt"
    assert await forge.head(repository, None) == ("main", source.head())


async def test_a_clean_work_tree_is_not_spoken_of(forge: BuiltinForge, source: GitSource) -> None:
    os.utime(source.folder / "a.txt", (1, 1))
    told: list[str] = []
    await forge.find(str(source.folder), told.append)
    assert not [line for line in told if "uncommitted" in line]


async def test_no_program_that_the_source_names_is_run(forge: BuiltinForge, source: GitSource, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "filter.trap.clean", "filter.trap.smudge", "uploadpack.packObjectsHook"):
        source.git("config", key, str(trap))
    source.write({".gitattributes": "* filter=trap\n", "a.txt": "changed\n"})
    told: list[str] = []
    await forge.find(str(source.folder), told.append)
    assert "2 files have uncommitted changes and are left out: a.txt, .gitattributes" in told
    assert not (tmp_path / "sprung").exists()


async def test_a_source_that_somebody_else_owns_can_be_read(
    forge: BuiltinForge, source: GitSource, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    give_away(source.folder)
    told: list[str] = []
    repository = await forge.find(str(source.folder), told.append)
    assert repository.name == "shop"
    assert not [line for line in told if "uncommitted" in line]


def give_away(folder: Path) -> None:
    """Give a folder and all in it to somebody else."""
    subprocess.run(["chown", "-R", "12345:12345", str(folder)], check=True)


async def test_a_linked_work_tree_and_a_shallow_clone_can_be_read(
    forge: BuiltinForge, source: GitSource, tmp_path: Path
) -> None:
    source.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    side = GitSource(tmp_path / "tree")
    newest = side.commit("On the side", {"s": "1"})
    side.write({"s": "2"})
    told: list[str] = []
    linked = await forge.find(str(side.folder), told.append)
    assert (linked.default_branch, told[-1]) == ("side", "1 file has uncommitted changes and is left out: s")
    source.git("clone", "--quiet", "--depth=1", f"file://{source.folder}", "--branch=side", str(tmp_path / "shallow"))
    shallow = await forge.find(str(tmp_path / "shallow"), silent)
    assert await forge.head(shallow, None) == ("side", newest)


async def test_a_detached_head_falls_back_to_main(forge: BuiltinForge, source: GitSource) -> None:
    source.git("branch", "aaa")
    source.git("checkout", "--quiet", "--detach")
    source.commit("Nowhere", {"x": "y"})
    assert (await forge.find(str(source.folder), silent)).default_branch == "main"


async def test_a_repository_without_a_commit_is_refused_and_leaves_nothing(forge: BuiltinForge, tmp_path: Path) -> None:
    empty = GitSource.create(tmp_path / "empty")
    with pytest.raises(RepositoryError, match="has no commit yet"):
        await forge.find(str(empty.folder), silent)
    assert list((tmp_path / "forge").iterdir()) == []
    empty.commit("Begin", {"x": "y"})
    assert (await forge.find(str(empty.folder), silent)).name == "empty"


async def test_a_name_that_nobody_knows_is_refused(forge: BuiltinForge) -> None:
    with pytest.raises(RepositoryError, match="no repository named nowhere-to-be-found"):
        await forge.find("nowhere-to-be-found", silent)


async def test_a_known_name_can_be_worked_on_when_its_source_is_gone(
    forge: BuiltinForge, source: GitSource, tmp_path: Path
) -> None:
    repository = await forge.find(str(source.folder), silent)
    source.folder.rename(tmp_path / "moved")
    told: list[str] = []
    assert await forge.find("shop", told.append) == repository
    assert "was not brought up to date" in told[-1]
    with pytest.raises(RepositoryError, match="There is no folder"):
        await forge.find(str(source.folder), silent)


async def test_a_source_that_was_rewritten_is_followed_as_long_as_nothing_was_merged_here(
    forge: BuiltinForge, source: GitSource
) -> None:
    repository = await forge.find(str(source.folder), silent)
    source.git("branch", "old")
    await forge.find("shop", silent)
    source.git("branch", "-D", "old")
    source.git("commit", "--quiet", "--amend", "-m", "Rewritten")
    await forge.find("shop", silent)
    assert await forge.head(repository, None) == ("main", source.head())
    with pytest.raises(RepositoryError):
        await forge.head(repository, "old")


async def test_a_branch_with_merges_here_and_commits_there_is_kept_and_spoken_of(
    forge: BuiltinForge, source: GitSource, tmp_path: Path
) -> None:
    repository = await forge.find(str(source.folder), silent)
    source.git("clone", "--quiet", str(source.folder), str(tmp_path / "work"))
    work = GitSource(tmp_path / "work")
    await forge.push(repository, work.folder / ".git", work.commit("Work", {"w": "1"}), BRANCH)
    await forge.open_pull_request(repository, draft())
    await forge.merge("shop", 1, ADA)
    merged = await forge.head(repository, "main")
    source.commit("Meanwhile", {"m": "1"})
    told: list[str] = []
    await forge.find("shop", told.append)
    assert [line for line in told if line.startswith("main was not brought up to date")]
    assert await forge.head(repository, "main") == merged
    source.git("pull", "--quiet", "--no-rebase", "--no-edit", str(forge.mirror(repository)), "main")
    told.clear()
    await forge.find("shop", told.append)
    assert not [line for line in told if "not brought up to date" in line]
    assert await forge.head(repository, "main") == ("main", source.head())


class Told:
    """A push listener that keeps what it hears."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, str]] = []

    async def pushed(self, repository: str, branch: str) -> None:
        self.moves.append((repository, branch))


async def test_a_merge_is_told_as_a_push_to_its_branch(forge: BuiltinForge, source: GitSource, tmp_path: Path) -> None:
    told = forge.push_listener = Told()
    repository = await forge.find(str(source.folder), silent)
    source.git("clone", "--quiet", str(source.folder), str(tmp_path / "work"))
    work = GitSource(tmp_path / "work")
    await forge.push(repository, work.folder / ".git", work.commit("Work", {"w": "1"}), BRANCH)
    await forge.open_pull_request(repository, draft())
    assert told.moves == []
    await forge.merge("shop", 1, ADA)
    assert told.moves == [("shop", "main")]


async def test_a_transfer_says_how_far_it_is(forge: BuiltinForge, source: GitSource) -> None:
    source.commit("Many", {f"f{number}": str(number) for number in range(500)})
    told: list[str] = []
    await forge.find(str(source.folder), told.append)
    assert told[0] == f"Reading {source.folder}"
    assert "Receiving objects: 100 %" in told
    assert len(told) < 60


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic", "may not be read without a login"),
        (b"HTTP/1.1 403 No", "may not be read without a login"),
        (b"HTTP/1.1 404 No", "There is no repository at"),
        (b"HTTP/1.1 500 No", "cannot be read"),
    ],
)
async def test_a_host_that_refuses_is_told_without_asking_anybody(
    forge: BuiltinForge, answer: bytes, sentence: str
) -> None:
    async with http_server(answer) as address:
        with pytest.raises(RepositoryError, match=sentence):
            await forge.find(f"{address}/team/shop", silent)


async def test_a_host_that_is_not_there_is_told(forge: BuiltinForge) -> None:
    async with http_server(b"HTTP/1.1 200 OK") as address:
        pass
    with pytest.raises(RepositoryError, match="does not answer"):
        await forge.find(f"{address}/shop", silent)


async def test_a_host_that_never_answers_is_left_after_the_time(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def be_mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has gone
        writer.close()
        left.set()

    await create_mirror(tmp_path / "mirror.git")
    async with asyncio.timeout(10), await asyncio.start_server(be_mute, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/shop"
        with pytest.raises(RepositoryError, match=r"took longer than 0\.5 seconds"):
            await replace(Importer({}), seconds=0.5).fetch(tmp_path / "mirror.git", RemoteSource(address), silent)
        await left.wait()


async def test_the_git_settings_of_the_operator_hold_for_urls_within_our_limits(
    source: GitSource, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(f'[url "{source.folder}"]\n\tinsteadOf = https://example.org/shop\n')
    forge = BuiltinForge(
        tmp_path / "forge",
        MemoryForgeCatalog(),
        SystemClock(),
        public_base=lambda: "http://localhost",
        operator_environment={"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]},
    )
    with pytest.raises(RepositoryError, match="transport 'file' not allowed"):
        await forge.find("https://example.org/shop", silent)
