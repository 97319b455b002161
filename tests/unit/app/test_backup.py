"""Backups of a home: what is in them, what they hold out against, and the way back."""

import asyncio
import io
import shutil
import sqlite3
import subprocess
import tarfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from outrider.app.backup.reading import check
from outrider.app.backup.restoring import finish, newest_archive, restore
from outrider.app.backup.writing import Backup, Source
from outrider.app.home import Home
from outrider.model.errors import BadRequest, OutriderError, Refused
from outrider.model.events import Recorded, StageReported
from outrider.model.ids import LayerId, SessionId
from outrider.ports.clock import SystemClock
from outrider.storage.catalog import open_catalog
from outrider.storage.layer_blobs import DirectoryLayerBlobs
from outrider.storage.session_log import SqliteSessionLogs

SESSION = SessionId("s-abcdefghij")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def said(_done: int, _expected: int) -> None:
    """Nobody listens."""


def recorded(seq: int) -> Recorded:
    """An event of a log."""
    return Recorded(seq=seq, at=NOW, event=StageReported(stage="image", text=f"{seq}", seconds=0))


def git(*arguments: str | Path) -> str:
    """What git answers."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One with a bit of everything."""
    home = Home(tmp_path / "home")
    home.token()
    with closing(SqliteSessionLogs(home.path / "sessions").create(SESSION)) as log:
        log.append([recorded(seq) for seq in range(1, 4)])

    async def catalog() -> None:
        async with open_catalog(home.path / "catalog.sqlite", SystemClock()):
            pass

    asyncio.run(catalog())
    for name in ("blobs/s-one/a-one", "layer-blobs/snap-one.tar.zst", "builds/log"):
        (home.path / name).parent.mkdir(parents=True)
        (home.path / name).write_bytes(name.encode() * 1000)
    (home.path / "blobs/s-one/.half").write_bytes(b"half")
    git("init", "-q", "--bare", home.path / "forge/demo.git")
    git("init", "-q", "--bare", home.path / "quarantine/s-abcdefghij.git")
    info = home.path / "quarantine/s-abcdefghij.git/objects/info"
    (info / "alternates").write_text(f"{home.path}/forge/demo.git/objects\n")
    return home


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "backup.tar"


def back_up(home: Home, archive: Path, **wanted: bool) -> None:
    """Write one, without a server."""

    async def write() -> None:
        backup = Backup(Source(home.path, SystemClock()), **wanted)
        pieces.extend([piece async for piece in backup.stream()])

    pieces: list[bytes] = []
    asyncio.run(write())
    archive.write_bytes(b"".join(pieces))


def put_back(archive: Path, target: Home) -> None:
    """Restore it."""
    with target.claim(restoring=True):
        asyncio.run(restore(archive, target, None, said))


def names(archive: Path) -> list[str]:
    """The files in it."""
    with tarfile.open(archive) as tar:
        return [entry.name for entry in tar if entry.isreg()]


def test_a_home_comes_back_whole_elsewhere(home: Home, archive: Path, tmp_path: Path):
    back_up(home, archive)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    with closing(SqliteSessionLogs(target.path / "sessions").open(SESSION)) as log:
        assert list(log.all()) == [recorded(seq) for seq in range(1, 4)]
        log.append([recorded(4)])
    for name in ("blobs/s-one/a-one", "layer-blobs/snap-one.tar.zst", "builds/log"):
        assert (target.path / name).read_bytes() == (home.path / name).read_bytes()
    alternates = target.path / "quarantine/s-abcdefghij.git/objects/info/alternates"
    assert alternates.read_text() == f"{target.path}/forge/demo.git/objects\n"
    git("--git-dir", target.path / "forge/demo.git", "fsck", "--strict")
    assert not target.restoring.exists()
    assert oct(target.path.stat().st_mode)[-3:] == "700"
    assert oct((target.path / "catalog.sqlite").stat().st_mode)[-3:] == "600"


def test_logs_come_first_then_the_catalog_then_what_both_name(home: Home, archive: Path):
    back_up(home, archive)
    order = names(archive)
    assert order[:3] == ["outrider-backup.json", f"sessions/{SESSION}/log.sqlite", "catalog.sqlite"]
    assert order[-1] == "outrider-manifest.json"
    forge = [name for name in order if name.startswith("forge/")]
    assert forge.index("forge/demo.git/HEAD") < min(
        (n for n, name in enumerate(forge) if "/objects/" in name), default=len(forge)
    )
    assert not [name for name in order if "half" in name]


def test_secrets_stay_unless_they_are_asked_for(home: Home, archive: Path, tmp_path: Path):
    token = home.token().encode()
    with closing(sqlite3.connect(home.path / "catalog.sqlite")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(login)")]
        values = ["a-very-secret-hash" if name == "token_hash" else "{}" for name in columns]
        db.execute(f"INSERT INTO login VALUES ({','.join('?' * len(values))})", values)
    back_up(home, archive)
    assert token not in archive.read_bytes()
    assert b"a-very-secret-hash" not in archive.read_bytes()
    archive.unlink()
    back_up(home, archive, secrets=True)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    assert target.token() == home.token()
    assert b"a-very-secret-hash" in archive.read_bytes()


def test_a_home_that_is_not_empty_is_refused_and_left_alone(home: Home, archive: Path, tmp_path: Path):
    back_up(home, archive)
    with home.claim():
        before = sorted(home.path.rglob("*"))
    with pytest.raises(Refused, match="is not empty: it has sessions"):
        put_back(archive, home)
    assert sorted(home.path.rglob("*")) == before
    fresh = Home(tmp_path / "fresh")
    (fresh.path / "sandboxes/guest/layers").mkdir(parents=True)
    (fresh.path / "sessions").mkdir()
    put_back(archive, fresh)
    other = Home(tmp_path / "other")
    with other.claim(), pytest.raises(Refused, match="server already runs"):
        put_back(archive, other)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    at = content.index(b"builds/logbuilds/log")
    return content[:at] + b"B" + content[at + 1 :]


def without_end(content: bytes) -> bytes:
    return content[: content.index(b"outrider-manifest.json") - content.index(b"outrider-manifest.json") % 512]


def escaping(content: bytes) -> bytes:
    entry = tarfile.TarInfo("sessions/../../escaped")
    entry.size = 3
    return content[: content.index(b"sessions/")] + entry.tobuf() + b"out" + bytes(509) + content


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (cut, "cut off|cannot be read"),
        (flip, "builds/log is not what was backed up"),
        (without_end, "cut off"),
        (escaping, "no path of a backup"),
        (lambda content: b"no tar at all" * 100, "cannot be read"),
        (lambda content: b"", "cannot be read|no backup"),
    ],
    ids=["cut", "flipped", "without end", "escaping", "garbage", "empty"],
)
def test_a_backup_that_is_not_whole_restores_nothing(
    home: Home, archive: Path, tmp_path: Path, change: Callable[[bytes], bytes], why: str
):
    back_up(home, archive)
    archive.write_bytes(change(archive.read_bytes()))
    target = Home(tmp_path / "elsewhere")
    with pytest.raises(BadRequest, match=why):
        put_back(archive, target)
    assert not target.restoring.exists()
    assert not (tmp_path / "escaped").exists()
    assert {path.name for path in target.path.iterdir()} <= {"server.lock"}


def test_a_compressed_backup_and_the_newest_of_a_folder(home: Home, archive: Path, tmp_path: Path):
    back_up(home, archive)
    packed = tmp_path / "outrider-20260102-000000.tar.zst"
    packed.write_bytes(zstandard.compress(archive.read_bytes()))
    archive.rename(tmp_path / "outrider-20260101-000000.tar")
    assert newest_archive(tmp_path) == packed
    assert check(packed, said).head.sessions == 1
    with pytest.raises(BadRequest, match="no backup in"):
        newest_archive(home.path / "builds")


def test_a_restore_that_was_cut_off_is_completed_before_a_server_starts(home: Home, archive: Path, tmp_path: Path):
    back_up(home, archive)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    stage = target.restoring / "unpacked"
    stage.mkdir(parents=True)
    for name in ("forge", "catalog.sqlite"):
        (target.path / name).rename(stage / name)
    target.unfinished_restore.touch()
    with pytest.raises(Refused, match=r"restore .* was cut off"), target.claim():
        pass
    finish(target)
    with target.claim():
        assert (target.path / "forge/demo.git/HEAD").is_file()


def test_a_damaged_log_goes_along_as_it_is(home: Home, archive: Path, tmp_path: Path):
    other = home.path / "sessions/s-broken2222"
    other.mkdir()
    (other / "log.sqlite").write_bytes(b"garbage")
    back_up(home, archive)
    assert check(archive, said).damaged == ("s-broken2222",)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    assert (target.path / "sessions/s-broken2222/log.sqlite").read_bytes() == b"garbage"


def test_a_session_that_is_younger_than_the_copied_logs_is_in_no_list(home: Home, archive: Path, tmp_path: Path):
    with closing(sqlite3.connect(home.path / "catalog.sqlite")) as db, db:
        columns = [row[1:4] for row in db.execute("PRAGMA table_info(session)")]
        for session in (SESSION, "s-younger222"):
            values = [session if name == "id" else "2026-01-01" if "DATE" in kind else 0 for name, kind, _ in columns]
            db.execute(f"INSERT INTO session VALUES ({','.join('?' * len(values))})", values)
    back_up(home, archive)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    with closing(sqlite3.connect(target.path / "catalog.sqlite")) as db:
        assert db.execute("SELECT id FROM session").fetchall() == [(SESSION,)]


@contextmanager
def changing(home: Home, work: Path) -> Iterator[None]:
    """Somebody appends to the log and pushes to the repository for as long as this lasts; from the first of each on."""
    forge, stop, begun = home.path / "forge/demo.git", threading.Event(), threading.Barrier(3)
    git("init", "-q", "-b", "main", work)

    def append() -> None:
        with closing(SqliteSessionLogs(home.path / "sessions").open(SESSION)) as log:
            log.append([recorded(seq) for seq in range(4, 30)])
            begun.wait()
            while not stop.is_set():
                log.append([recorded(log.last_seq() + 1)])

    def push() -> None:
        git("-C", work, "commit", "-q", "--allow-empty", "-m", "one")
        git("-C", work, "push", "-q", forge, "main")
        begun.wait()
        while not stop.is_set():
            git("-C", work, "commit", "-q", "--allow-empty", "-m", "more")
            git("-C", work, "push", "-q", forge, "main")

    threads = [threading.Thread(target=target) for target in (append, push)]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_logs_and_repositories_that_change_meanwhile_are_copied_as_of_one_moment(
    home: Home, archive: Path, tmp_path: Path
):
    with changing(home, tmp_path / "work"):
        back_up(home, archive)
    target = Home(tmp_path / "elsewhere")
    put_back(archive, target)
    with closing(SqliteSessionLogs(target.path / "sessions").open(SESSION)) as log:
        assert list(log.all()) == [recorded(seq) for seq in range(1, log.last_seq() + 1)]
        assert log.last_seq() >= 29
    forge = target.path / "forge/demo.git"
    git("--git-dir", forge, "fsck", "--strict", "--connectivity-only")
    assert git("--git-dir", forge, "rev-parse", "main")


async def test_snapshots_in_a_store_of_their_own_go_along_and_into_one(home: Home, archive: Path, tmp_path: Path):
    shutil.rmtree(home.path / "layer-blobs")
    store, other = DirectoryLayerBlobs(tmp_path / "store"), DirectoryLayerBlobs(tmp_path / "other")

    async def content() -> AsyncIterator[bytes]:
        yield b"layer"

    await store.put("snap-one.tar.zst", content())
    backup = Backup(Source(home.path, SystemClock(), store))
    buffer = io.BytesIO()
    async for piece in backup.stream():
        buffer.write(piece)
    await asyncio.to_thread(archive.write_bytes, buffer.getvalue())
    target = Home(tmp_path / "elsewhere")
    with target.claim(restoring=True):
        await restore(archive, target, other, said)
    assert [chunk async for chunk in other.get("snap-one.tar.zst")] == [b"layer"]


async def test_a_snapshot_that_is_not_stored_yet_is_stored_first_or_named(home: Home, archive: Path):
    event = {"type": "snapshot_taken", "layer": "snap-new", "layers": ["base-one"]}
    with closing(sqlite3.connect(home.path / f"sessions/{SESSION}/log.sqlite")) as db, db:
        db.execute(
            "INSERT INTO event VALUES (4, '', 'snapshot_taken', ?)", (f'{{"event": {event}}}'.replace("'", '"'),)
        )
    asked: list[tuple[LayerId, ...]] = []

    async def store(layers: tuple[LayerId, ...]) -> int:
        asked.append(layers)
        if len(asked) > 1:
            raise OutriderError("There is no room.")
        return 1

    for lacking in ((), (SESSION,)):
        backup = Backup(Source(home.path, SystemClock(), store=store))
        pieces = [piece async for piece in backup.stream()]
        await asyncio.to_thread(archive.write_bytes, b"".join(pieces))
        assert (await asyncio.to_thread(check, archive, said)).without_files == lacking
    assert asked == [("base-one", "snap-new")] * 2
