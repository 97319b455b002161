"""The quarantine with guests that behave, and with guests that do not."""

import asyncio
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from outrider.integrations.builtin.git import Git
from outrider.integrations.builtin.guest_fetch import FetchLimits
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.errors import LimitReached, RepositoryError, SandboxLost
from outrider.model.ids import CommitId
from outrider.ports.sandbox import ExecSpec
from outrider.testing.git_source import GitSource
from outrider.testing.local_guest import LocalGuest, LocalProcess
from outrider.testing.store_contract import ADA, SESSION

LIMITS = FetchLimits(seconds=20)


class Place:
    """A mirror, a guest's workspace that was cloned from it, and a quarantine."""

    def __init__(self, folder: Path) -> None:
        self.origin = GitSource.create(folder / "origin", {"sum.txt": "one\ntwo\n", "readme": "hello\n"})
        self.base = self.origin.head()
        self.mirror = folder / "mirror.git"
        self.origin.git("clone", "--quiet", "--bare", str(self.origin.folder), str(self.mirror))
        self.origin.git("clone", "--quiet", str(self.mirror), str(folder / "workspace"))
        self.workspace = GitSource(folder / "workspace")
        self.home = folder
        self.guest = LocalGuest(folder)
        self.quarantine = self.with_limits(LIMITS)

    def with_limits(self, limits: FetchLimits) -> GitQuarantine:
        return GitQuarantine(self.home / "quarantine", limits=limits, workspace=str(self.workspace.folder))

    def liar(self, script: str) -> "ScriptedGuest":
        """A guest in which `git upload-pack` is this script."""
        return ScriptedGuest(self.home, script)

    async def nothing_came_in(self) -> bool:
        """Whether the quarantine has no head, and nothing that a stopped fetch left."""
        path = self.quarantine.path(SESSION)
        known = await Git(path).text("for-each-ref", "--format=%(refname)")
        return known == "refs/quarantine/base" and not list((path / "objects" / "pack").glob("tmp_*"))


class ScriptedGuest(LocalGuest):
    """Runs a shell script in place of whatever it is asked to start."""

    def __init__(self, home: Path, script: str) -> None:
        super().__init__(home)
        self._script = script

    async def start(self, spec: ExecSpec) -> LocalProcess:
        return await super().start(ExecSpec(("sh", "-c", self._script), cwd=spec.cwd))


class SignallingGuest(ScriptedGuest):
    """Says when it was asked to start something."""

    def __init__(self, home: Path, script: str) -> None:
        super().__init__(home, script)
        self.started = asyncio.Event()

    async def start(self, spec: ExecSpec) -> LocalProcess:
        process = await super().start(spec)
        self.started.set()
        return process


class LostGuest(LocalGuest):
    """Its connection is gone."""

    async def start(self, spec: ExecSpec) -> LocalProcess:
        raise SandboxLost("The sandbox is gone.")


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    await place.quarantine.open(SESSION, place.mirror, place.base)
    return place


def packet(line: str) -> str:
    """A line as git sends it, in a form for printf."""
    return f"{len(line) + 4:04x}{line}"


async def test_work_comes_in_with_its_commits_and_files(place: Place) -> None:
    place.workspace.commit("Mend the sum", {"sum.txt": "one\n2\n"})
    (place.workspace.folder / "readme").unlink()
    place.workspace.commit("Explain", {"docs/why.md": "because\n", "ümläut \t name": "x\n"})
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert work.head == place.workspace.head()
    assert [(commit.subject, commit.author.email) for commit in work.commits] == [
        ("Mend the sum", "grace@example.org"),
        ("Explain", "grace@example.org"),
    ]
    assert [(file.kind, file.path, file.added, file.deleted) for file in work.files] == [
        ("added", "docs/why.md", 1, 0),
        ("deleted", "readme", 0, 1),
        ("changed", "sum.txt", 1, 1),
        ("added", "ümläut \t name", 1, 0),
    ]
    changed = await place.quarantine.changed_paths(SESSION, place.base, work.head)
    assert sorted(changed) == sorted(file.path for file in work.files)
    with pytest.raises(RepositoryError, match="cannot be compared"):
        await place.quarantine.changed_paths(SESSION, place.base, CommitId("1" * 40))


async def test_more_work_comes_in_later_and_opening_again_keeps_all(place: Place) -> None:
    place.workspace.commit("One", {"one": "1"})
    await place.quarantine.fetch(SESSION, place.guest, place.base)
    await place.quarantine.open(SESSION, place.mirror, place.base)
    place.workspace.git("commit", "--quiet", "--amend", "-m", "Other")
    place.workspace.commit("Two", {"two": "2"})
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert [commit.subject for commit in work.commits] == ["Other", "Two"]


async def test_no_work_is_no_error(place: Place) -> None:
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert (work.head, work.commits, work.files) == (place.base, (), ())


async def test_objects_of_the_mirror_are_borrowed_and_not_copied(place: Place) -> None:
    place.workspace.commit("Mend", {"sum.txt": "one\n2\n"})
    await place.quarantine.fetch(SESSION, place.guest, place.base)
    counts = await Git(place.quarantine.path(SESSION)).text("count-objects", "-v")
    assert "in-pack: 3" in counts.splitlines()


async def test_a_mirror_without_the_base_is_refused(place: Place) -> None:
    with pytest.raises(RepositoryError, match="does not have the commit 111111"):
        await place.quarantine.open(SESSION, place.mirror, CommitId("1" * 40))


async def test_files_are_read_as_they_are_in_a_commit(place: Place) -> None:
    (place.workspace.folder / "link").symlink_to("/etc/passwd")
    place.workspace.commit("More", {"a/b:c*": "text", "big": "x" * 2000})
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)

    async def read(path: str, limit: int = 1000) -> bytes | None:
        return await place.quarantine.read_file(SESSION, work.head, path, limit_bytes=limit)

    assert await read("a/b:c*") == b"text"
    assert [await read(path) for path in ("nope", "a", "link", "a/*", "../origin/readme")] == [None] * 5
    assert await place.quarantine.read_file(SESSION, place.base, "big", limit_bytes=9999) is None
    with pytest.raises(LimitReached, match="big is larger than 1,000 bytes"):
        await read("big")
    assert await read("big", 2000) == b"x" * 2000
    assert await place.quarantine.list_files(SESSION, work.head) == ("a/b:c*", "big", "link", "readme", "sum.txt")


async def test_what_is_not_committed_is_listed_and_committed_as_the_person(place: Place) -> None:
    assert await place.quarantine.dirty(place.guest) == ()
    assert not await place.quarantine.commit_leftovers(place.guest, ADA, "Leftovers")
    hook = place.workspace.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    place.workspace.write({"new file": "1", "sum.txt": "changed\n", "build/out.o": "x", ".gitignore": "build/\n"})
    (place.workspace.folder / "readme").unlink()
    (place.workspace.folder / ".git" / "index.lock").touch()
    assert set(await place.quarantine.dirty(place.guest)) == {"new file", "sum.txt", "readme", ".gitignore"}
    assert await place.quarantine.commit_leftovers(place.guest, ADA, "Leftovers\n\n# not a comment")
    assert await place.quarantine.dirty(place.guest) == ()
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert [(commit.subject, commit.author) for commit in work.commits] == [("Leftovers", ADA)]
    assert sorted(file.path for file in work.files) == [".gitignore", "new file", "readme", "sum.txt"]


async def test_a_workspace_that_cannot_be_committed_is_said(place: Place) -> None:
    shutil.rmtree(place.workspace.folder / ".git")
    with pytest.raises(RepositoryError, match=r"could not be committed: .*not a git repository"):
        await place.quarantine.commit_leftovers(place.guest, ADA, "Leftovers")
    with pytest.raises(RepositoryError, match=r"cannot be fetched: .*not appear to be a git repository"):
        await place.quarantine.fetch(SESSION, place.guest, place.base)


async def test_history_without_the_base_is_refused(place: Place) -> None:
    place.workspace.git("checkout", "--quiet", "--orphan", "fresh")
    place.workspace.commit("From nothing", {"x": "y"})
    with pytest.raises(RepositoryError, match="does not continue"):
        await place.quarantine.fetch(SESSION, place.guest, place.base)


async def test_objects_that_fsck_refuses_do_not_come_in(place: Place) -> None:
    place.workspace.commit("Bad submodule", {".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'})
    with pytest.raises(RepositoryError, match=r"git refuses: .*[Gg]itmodules"):
        await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert await place.nothing_came_in()


async def test_a_tree_that_names_dot_git_does_not_come_in(place: Place) -> None:
    blob = place.workspace.git("hash-object", "-w", "--stdin", stdin=b"[core]\nfsmonitor = touch /tmp/owned\n")
    raw = b"100644 config\0" + bytes.fromhex(blob)
    inner = place.workspace.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    outer = b"40000 .git\0" + bytes.fromhex(inner)
    tree = place.workspace.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=outer)
    commit = place.workspace.git("commit-tree", tree, "-p", "HEAD", "-m", "Trap")
    place.workspace.git("update-ref", "HEAD", commit)
    with pytest.raises(RepositoryError, match="git refuses"):
        await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert await place.nothing_came_in()


async def test_a_large_file_is_named_and_refused(place: Place) -> None:
    place.workspace.commit("Large", {"data/large.bin": "x" * 3_000_000})
    quarantine = place.with_limits(replace(LIMITS, object_bytes=2 << 20))
    with pytest.raises(LimitReached, match=r"data/large\.bin is larger than 2 MB"):
        await quarantine.fetch(SESSION, place.guest, place.base)


async def test_a_pack_beyond_the_limit_is_refused(place: Place) -> None:
    place.workspace.commit("Noise", {"noise": Random(4).randbytes(300_000).hex()})
    quarantine = place.with_limits(replace(LIMITS, received_bytes=100_000))
    with pytest.raises(LimitReached, match="are larger than"):
        await quarantine.fetch(SESSION, place.guest, place.base)
    assert await place.nothing_came_in()


async def test_too_many_objects_are_refused(place: Place) -> None:
    place.workspace.commit("Many", {f"f{number}": str(number) for number in range(30)})
    quarantine = place.with_limits(replace(LIMITS, objects=20))
    with pytest.raises(LimitReached, match="more than 20 objects"):
        await quarantine.fetch(SESSION, place.guest, place.base)


async def test_a_session_cannot_fill_the_disk_by_many_fetches(place: Place) -> None:
    quarantine = place.with_limits(replace(LIMITS, stored_bytes=100))
    place.workspace.commit("One", {"one": "1"})
    await quarantine.fetch(SESSION, place.guest, place.base)
    with pytest.raises(LimitReached, match="already take"):
        await quarantine.fetch(SESSION, place.guest, place.base)


async def test_endless_output_is_cut_before_git_has_asked_for_anything(place: Place) -> None:
    advert = packet(f"{'1' * 40} refs/heads/{'x' * 60}")
    guest = place.liar(f"while :; do printf '%s' {shlex.quote(advert * 50)}; done")
    quarantine = place.with_limits(replace(LIMITS, advertised_bytes=1 << 20))
    with pytest.raises(LimitReached, match="too many branches and tags"):
        await quarantine.fetch(SESSION, guest, place.base)
    assert await place.nothing_came_in()


@pytest.mark.parametrize(
    "script", ["sleep 600", "printf 00; sleep 600", "cat >/dev/null"], ids=["mute", "half", "deaf"]
)
async def test_a_guest_that_lets_us_wait_is_left_after_the_time(place: Place, script: str) -> None:
    quarantine = place.with_limits(replace(LIMITS, seconds=0.5))
    guest = place.liar(script)
    async with asyncio.timeout(10):
        with pytest.raises(LimitReached, match=r"took longer than 0\.5 seconds"):
            await quarantine.fetch(SESSION, guest, place.base)
    assert await guest.kill_everything() == 0, "what was started in the guest was killed"
    assert await place.nothing_came_in()


@pytest.mark.parametrize(
    "script",
    ["exit 0", "echo nonsense", "printf 0000", "head -c 100000 /dev/urandom", "echo 'fatal: \033[2Jno' >&2; exit 128"],
    ids=["nothing", "nonsense", "no-refs", "noise", "refusal"],
)
async def test_an_answer_that_is_no_repository_is_an_error_without_control_characters(
    place: Place, script: str
) -> None:
    with pytest.raises(RepositoryError, match="cannot be fetched") as caught:
        await place.quarantine.fetch(SESSION, place.liar(script), place.base)
    assert caught.value.sentence.isprintable()
    assert await place.nothing_came_in()


async def test_only_head_comes_in_whatever_else_is_offered(place: Place) -> None:
    place.workspace.commit("Mend", {"sum.txt": "one\n2\n"})
    place.workspace.git("tag", "a-tag")
    place.workspace.git("branch", "$(touch${IFS}owned);`touch$IFS''owned`")
    place.workspace.git("update-ref", "refs/heads/--upload-pack=touch", "HEAD")
    place.workspace.git("checkout", "--quiet", "$(touch${IFS}owned);`touch$IFS''owned`")
    await place.quarantine.fetch(SESSION, place.guest, place.base)
    refs = await Git(place.quarantine.path(SESSION)).text("for-each-ref", "--format=%(refname)")
    assert refs.splitlines() == ["refs/quarantine/base", "refs/quarantine/head"]
    assert not list(place.home.rglob("owned"))


async def test_a_ref_that_does_not_exist_is_an_error(place: Place) -> None:
    place.workspace.git("symbolic-ref", "HEAD", "refs/heads/nowhere")
    with pytest.raises(RepositoryError, match="cannot be fetched"):
        await place.quarantine.fetch(SESSION, place.guest, place.base)


async def test_odd_authors_do_not_lose_work(place: Place) -> None:
    tree = place.workspace.git("rev-parse", "HEAD^{tree}")
    author = "\x1b[31mEve\x07 <not-an-address> 1700000000 +0000"
    raw = f"tree {tree}\nparent {place.base}\nauthor {author}\ncommitter {author}\n\nOdd\n".encode()
    commit = place.workspace.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    place.workspace.git("update-ref", "HEAD", commit)
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    assert work.commits[0].author.name == "[31mEve"
    assert work.commits[0].author.email == "unknown@invalid"


async def test_a_lost_guest_is_said_to_be_lost(place: Place) -> None:
    with pytest.raises(SandboxLost):
        await place.quarantine.fetch(SESSION, LostGuest(place.home), place.base)


async def test_a_fetch_that_is_cancelled_leaves_no_process(place: Place) -> None:
    guest = SignallingGuest(place.home, "sleep 600")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        fetching = tasks.create_task(place.quarantine.fetch(SESSION, guest, place.base), name="fetch")
        await guest.started.wait()
        fetching.cancel()
    assert fetching.cancelled()
    assert await guest.kill_everything() == 0
    assert await place.nothing_came_in()


async def test_what_was_fetched_can_be_pushed_on(place: Place) -> None:
    place.workspace.commit("Mend", {"sum.txt": "one\n2\n"})
    work = await place.quarantine.fetch(SESSION, place.guest, place.base)
    place.origin.git(
        "--git-dir",
        str(place.quarantine.path(SESSION)),
        "push",
        "--quiet",
        str(place.mirror),
        f"{work.head}:refs/heads/x",
    )
    assert await Git(place.mirror).text("rev-parse", "refs/heads/x") == work.head
