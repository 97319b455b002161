"""What the doctor says of logs and the catalog."""

from pathlib import Path

import pytest

from outrider.app.home import Home
from outrider.cli.examination import records
from outrider.cli.finding import State
from outrider.model.ids import SessionId
from outrider.ports.clock import SystemClock
from outrider.storage.catalog import open_catalog
from outrider.storage.session_log import SqliteSessionLogs


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With two logs."""
    logs = SqliteSessionLogs(tmp_path / "sessions")
    for name in ("s-one2222222", "s-two2222222"):
        logs.create(SessionId(name)).close()
    return Home(tmp_path)


def test_wholerecords_are_whole(home: Home):
    assert records(home).state is State.WORKS


def test_what_is_damaged_and_what_was_put_aside_is_named(home: Home):
    torn = home.path / "sessions/s-two2222222/log.sqlite"
    torn.write_bytes(torn.read_bytes()[:1500])
    finding = records(home)
    assert finding.state is State.BROKEN
    assert str(torn) in finding.detail
    assert "s-one" not in finding.detail
    SqliteSessionLogs(home.path / "sessions").rescue(SessionId("s-two2222222"))
    finding = records(home)
    assert finding.state is State.WEAKER
    assert "s-two2222222/damaged-1" in finding.detail


@pytest.mark.parametrize("content", [b"garbage" * 999, b"SQLite format 3\0" + bytes(4000)], ids=["garbage", "torn"])
async def test_a_torn_catalog_is_named_and_after_a_start_where_it_was_put(tmp_path: Path, content: bytes):
    home = Home(tmp_path)
    (tmp_path / "catalog.sqlite").write_bytes(content)
    assert records(home).state is State.BROKEN
    async with open_catalog(tmp_path / "catalog.sqlite", SystemClock()):
        pass
    finding = records(home)
    assert finding.state is State.WEAKER
    assert str(tmp_path / "damaged-1") in finding.detail
