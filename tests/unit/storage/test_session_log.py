"""The file of a session log: kills, torn and foreign files, a full disk, files of older releases."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.model.errors import OutriderError, Refused
from outrider.model.ids import SessionId
from outrider.storage.session_log import SqliteSessionLog, SqliteSessionLogs
from outrider.storage.session_log_schema import MIGRATIONS, Migration
from outrider.testing.store_contract import SESSION, numbered, recorded

FIRST_RELEASE = Path(__file__).parent / "fixtures" / "log-0.1.sqlite"

APPEND_FOREVER = """
import sys
from pathlib import Path
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.store_contract import SESSION, recorded
log = SqliteSessionLogs(Path(sys.argv[1])).create(SESSION)
while True:
    first = log.last_seq() + 1
    log.append([recorded(seq) for seq in range(first, first + 20)])
    print(log.last_seq(), flush=True)
"""

APPEND_UNTIL_FULL = """
import sys
from pathlib import Path
from outrider.model.errors import LimitReached
from outrider.storage.session_log import SqliteSessionLogs
from outrider.testing.store_contract import SESSION, recorded
log = SqliteSessionLogs(Path(sys.argv[1])).create(SESSION)
try:
    while True:
        log.append([recorded(log.last_seq() + 1, "x" * 4000), recorded(log.last_seq() + 2, "x" * 4000)])
except LimitReached as error:
    print(error.sentence)
stored = [event.seq for event in log.all()]
assert stored == list(range(1, log.last_seq() + 1)), stored
assert len(stored) > 2 and len(stored) % 2 == 0, stored
print("kept", len(stored))
"""


def make_log(folder: Path, count: int) -> Path:
    """A closed log with so many events; its file."""
    log = SqliteSessionLogs(folder).create(SESSION)
    log.append(numbered(count))
    log.close()
    return folder / SESSION / "log.sqlite"


def test_a_kill_in_the_middle_of_appending_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", APPEND_FOREVER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer, writer.stdout as lines:
        acknowledged = [int(next(lines)) for _ in range(30)][-1]
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])
    log = SqliteSessionLogs(tmp_path).open(SESSION)
    assert log.last_seq() >= acknowledged
    assert log.last_seq() % 20 == 0, "a batch is stored whole or not at all"
    assert list(log.all()) == numbered(log.last_seq())
    log.append(numbered(1, first=log.last_seq() + 1))
    log.close()


def test_another_process_cannot_open_a_log_that_is_open(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", APPEND_FOREVER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer, writer.stdout as lines:
        next(lines)
        with pytest.raises(Refused, match="open elsewhere"):
            SqliteSessionLogs(tmp_path).open(SESSION)
        writer.kill()


def test_a_full_disk_is_said_and_stores_nothing_of_the_batch(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=256k none {tmp_path}"
    program = [sys.executable, "-c", APPEND_UNTIL_FULL, str(tmp_path)]
    inside = ["sh", "-c", f'{mount} && exec "$@"', "sh", *program]
    outcome = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *inside], capture_output=True, text=True
    )
    if "unshare failed" in outcome.stderr or "mount:" in outcome.stderr:
        pytest.skip("a small disk needs user namespaces")
    assert outcome.returncode == 0, outcome.stderr
    assert "disk is full" in outcome.stdout
    assert str(tmp_path) in outcome.stdout
    assert "kept" in outcome.stdout


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    path = make_log(tmp_path, 3)
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(OutriderError, match=r"log\.sqlite cannot be used"):
        SqliteSessionLogs(tmp_path).open(SESSION)
    path.write_bytes(b"")
    with pytest.raises(OutriderError, match=r"log\.sqlite cannot be used"):
        SqliteSessionLogs(tmp_path).open(SESSION)


def test_a_torn_file_is_named_and_can_be_opened_once_it_is_restored(tmp_path: Path) -> None:
    path = make_log(tmp_path, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xaa" * (len(whole) - len(whole) // 2))
    with pytest.raises(OutriderError, match=r"log\.sqlite"), closing(SqliteSessionLogs(tmp_path).open(SESSION)) as log:
        list(log.all())
    path.write_bytes(whole)
    with closing(SqliteSessionLogs(tmp_path).open(SESSION)) as log:
        assert list(log.all()) == numbered(200)


def test_an_event_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = make_log(tmp_path, 3)
    db = sqlite3.connect(path)
    db.execute("UPDATE event SET body = ? WHERE seq = 2", (b'{"seq": 2, "at": "x"}',))
    db.commit()
    db.close()
    log = SqliteSessionLogs(tmp_path).open(SESSION)
    assert log.read(2, 1) == [recorded(3)]
    with pytest.raises(OutriderError, match=r"log\.sqlite holds an event that cannot be read"):
        log.read(0, 3)
    log.close()


def test_a_log_of_the_first_release_can_be_read_and_continued(tmp_path: Path) -> None:
    (tmp_path / SESSION).mkdir()
    shutil.copy(FIRST_RELEASE, tmp_path / SESSION / "log.sqlite")
    log = SqliteSessionLogs(tmp_path).open(SESSION)
    assert log.read(0, 10) == numbered(3)
    log.append(numbered(1, first=4))
    log.close()


def test_a_migration_runs_once_and_is_recorded_by_name(tmp_path: Path) -> None:
    path = make_log(tmp_path, 2)
    second = Migration("0002-note", ("ALTER TABLE event ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",))
    for _ in range(2):
        log = SqliteSessionLog(path, (*MIGRATIONS, second))
        assert log.last_seq() == 2
        log.close()
    with pytest.raises(OutriderError, match=r"newer release of Outrider \(0002-note\)"):
        SqliteSessionLogs(tmp_path).open(SESSION)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = make_log(tmp_path, 2)
    broken = Migration("0002-broken", ("CREATE TABLE half (x)", "CREATE TABLE event (x)"))
    with pytest.raises(OutriderError, match="already exists"):
        SqliteSessionLog(path, (*MIGRATIONS, broken))
    log = SqliteSessionLogs(tmp_path).open(SESSION)
    assert log.last_seq() == 2
    log.close()


def test_appends_go_on_during_a_checkpoint_and_the_write_ahead_log_stays_bounded(tmp_path: Path) -> None:
    log = SqliteSessionLogs(tmp_path).create(SESSION)
    wal = tmp_path / SESSION / "log.sqlite-wal"
    largest_round = 0
    for _ in range(20):
        first = log.last_seq() + 1
        log.append([recorded(seq, "x" * 1000) for seq in range(first, first + 50)])
        largest_round = max(largest_round, wal.stat().st_size) if first == 1 else largest_round
        thread = threading.Thread(target=log.checkpoint)
        thread.start()
        log.append(numbered(1, first=log.last_seq() + 1))
        thread.join()
        log.checkpoint()
    assert wal.stat().st_size < 3 * largest_round
    assert [event.seq for event in log.all()] == list(range(1, 20 * 51 + 1))
    log.close()


@pytest.mark.parametrize("name", ["../s-abcdefgh22", "s-abcdefgh22\n", "S-ABCDEFGH", ""])
def test_a_name_that_is_no_id_opens_no_file(tmp_path: Path, name: str) -> None:
    make_log(tmp_path, 1)
    with pytest.raises(OutriderError, match="There is no session"):
        SqliteSessionLogs(tmp_path).open(SessionId(name))


@given(batches=st.lists(st.lists(st.text(max_size=50), max_size=8), max_size=8), after=st.integers(0, 70))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_appended_is_read_back(tmp_path: Path, batches: list[list[str]], after: int) -> None:
    shutil.rmtree(tmp_path / "logs", ignore_errors=True)
    log = SqliteSessionLogs(tmp_path / "logs").create(SESSION)
    written = []
    for batch in batches:
        events = [recorded(len(written) + place, sentence) for place, sentence in enumerate(batch, start=1)]
        log.append(events)
        written.extend(events)
        assert log.last_seq() == len(written)
    assert log.read(after, 1000) == written[after:]
    log.close()
