"""The file of the catalog: migrations, damage, the audit."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from outrider.model.errors import LimitReached, OutriderError
from outrider.model.membership import Account
from outrider.model.repository import Repository
from outrider.ports.clock import SystemClock
from outrider.storage.audit import MAX_TEXT
from outrider.storage.catalog import open_catalog, say_when_full
from outrider.storage.catalog_copy import copy_of, renew_copy
from outrider.storage.tables import metadata
from outrider.testing.index_contract import SESSION, row
from outrider.testing.playbook import ADA, BOB

CLOCK = SystemClock()
OLD_CATALOGS = sorted(Path(__file__).with_name("fixtures").glob("catalog-*.sqlite"))
SHOP = Repository(name="shop", forge="builtin", source="/srv/shop", default_branch="main")


async def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    async with open_catalog(tmp_path / "catalog.sqlite", CLOCK):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_what_was_stored_is_there_when_the_catalog_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "folder with %" / "catalog.sqlite"
    async with open_catalog(path, CLOCK) as catalog:
        await catalog.sessions.put(row(SESSION))
    async with open_catalog(path, CLOCK) as catalog:
        assert await catalog.sessions.get(SESSION) == row(SESSION)


def torn(content: bytes) -> bytes:
    return content[: len(content) // 3]


def garbage(content: bytes) -> bytes:
    return b"\xde\xad" * (len(content) // 2)


def hole(content: bytes) -> bytes:
    """All but the first pages is zeros: it opens, and only who reads on sees it."""
    return content[:8192] + bytes(len(content) - 8192)


async def filled(path: Path) -> None:
    """With one session, one repository and one login, and closed."""
    async with open_catalog(path, CLOCK) as catalog:
        await catalog.sessions.put(row(SESSION))
        await catalog.forge.put_repository(SHOP)
        await catalog.logins.add_login("hash-of-a-token", Account(person=ADA), CLOCK.now() + timedelta(days=1))


@pytest.mark.parametrize("harm", [torn, garbage, hole])
async def test_a_damaged_catalog_is_put_aside_and_its_newest_copy_goes_on_without_logins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "catalog.sqlite"
    await filled(path)
    assert renew_copy(path)
    damaged = harm(path.read_bytes())
    path.write_bytes(damaged)
    async with open_catalog(path, CLOCK) as catalog:
        assert catalog.rescue is not None
        assert catalog.rescue.copied_at is not None
        assert await catalog.sessions.get(SESSION) == row(SESSION)
        assert await catalog.forge.repository("shop") == SHOP
        assert await catalog.logins.find_login("hash-of-a-token", CLOCK.now()) is None
        assert "everybody has to log in again" in catalog.rescue.remedy
    assert (tmp_path / "damaged-1" / "catalog.sqlite").read_bytes() == damaged
    assert "is put aside in" in caplog.text
    async with open_catalog(path, CLOCK) as catalog:
        assert catalog.rescue is None


async def test_a_damaged_catalog_of_which_there_is_no_copy_begins_anew_and_says_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"not a database at all" * 300)
    async with open_catalog(path, CLOCK) as catalog:
        assert catalog.rescue is not None
        assert "as there was no copy" in catalog.rescue.sentence
        assert "imported repositories" in catalog.rescue.remedy
        assert await catalog.sessions.list(limit=9) == []
    copy_of(path).write_bytes(b"neither is the copy" * 300)
    path.write_bytes(garbage(path.read_bytes()))
    async with open_catalog(path, CLOCK) as catalog:
        assert catalog.rescue is not None
        assert catalog.rescue.copied_at is None
        assert catalog.rescue.place.name == "damaged-2"


async def test_a_rescue_that_was_killed_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    await filled(path)
    renew_copy(path)
    path.write_bytes(garbage(path.read_bytes()))
    (tmp_path / "catalog.salvaged").write_bytes(copy_of(path).read_bytes())
    async with open_catalog(path, CLOCK) as catalog:
        assert await catalog.sessions.get(SESSION) == row(SESSION)


async def test_a_copy_is_made_where_something_has_changed_and_a_damaged_catalog_never_replaces_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "catalog.sqlite"
    await filled(path)
    assert renew_copy(path)
    assert not renew_copy(path)
    whole = copy_of(path).read_bytes()
    assert b"hash-of-a-token" not in whole
    path.write_bytes(hole(path.read_bytes()))
    os.utime(path, (2**31, 2**31))
    with pytest.raises(OutriderError, match="cannot be copied"):
        renew_copy(path)
    assert copy_of(path).read_bytes() == whole


async def test_a_catalog_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    async with open_catalog(path, CLOCK):
        pass
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(OutriderError, match="newer release"):
        async with open_catalog(path, CLOCK):
            pass


def rows(path: Path) -> dict[str, list[dict[str, object]]]:
    """Everything that a catalog holds, by table."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [dict(row) for row in db.execute(f'SELECT * FROM "{table}" ORDER BY rowid')] for table in tables}


@pytest.mark.parametrize("old", OLD_CATALOGS, ids=lambda path: path.stem)
async def test_a_catalog_of_an_earlier_release_is_brought_up_to_date_with_its_rows_whole(old: Path, tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    shutil.copy(old, path)
    before = rows(path)
    assert min(len(found) for found in before.values()) >= 1, "every table has something to lose"
    async with open_catalog(path, CLOCK) as catalog:
        [pull] = await catalog.forge.pull_requests("demo")
        assert (pull.number, pull.repository) == (1, "demo")
        session = await catalog.sessions.get(SESSION)
        assert session is not None
        assert (session.pull_request, session.verdict, session.author) == (1, "fix_proved", "Ada")
        login = await catalog.logins.find_login("2" * 64, CLOCK.now())
        assert login is not None
        assert (login.person, await catalog.logins.knows(BOB.email)) == (BOB, True)
        assert catalog.egress.hosts("demo") == ("example.org",)
        assert [one.target for one in await catalog.audit.recent(SESSION, 9)] == ["pypi.org:443"]
        assert (len(await catalog.images.images()), len(await catalog.images.builds(limit=9))) == (1, 1)
    after = rows(path)
    for table in before.keys() - {"alembic_version"}:
        kept = [{name: row[name] for name in was} for was, row in zip(before[table], after[table], strict=True)]
        read_again = {"projected_seq": 0} if table == "session" else {}
        assert kept == [{**was, **read_again} for was in before[table]], table


async def test_the_audit_keeps_decisions_of_each_owner_newest_first_and_cuts_long_targets(tmp_path: Path) -> None:
    async with open_catalog(tmp_path / "catalog.sqlite", CLOCK) as catalog:
        await catalog.audit.record("s-aaaa", "connect", "pypi.org:443", allowed=True, why="preset")
        await catalog.audit.record("s-bbbb", "connect", "example.org:443", allowed=False, why="not on the list")
        await catalog.audit.record("s-aaaa", "connect", "x" * 9000, allowed=False, why="not on the list")
        newest, oldest = await catalog.audit.recent("s-aaaa", 10)
    assert (newest.target, newest.allowed, newest.why) == ("x" * MAX_TEXT, False, "not on the list")
    assert (oldest.target, oldest.allowed, oldest.action) == ("pypi.org:443", True, "connect")
    assert newest.at >= oldest.at


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    say_when_full(engine, path)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT)")
        connection.exec_driver_sql("PRAGMA max_page_count = 2")
        with pytest.raises(LimitReached, match="disk is full"):
            connection.exec_driver_sql("INSERT INTO words VALUES (?)", ("x" * 100_000,))
    engine.dispose()
