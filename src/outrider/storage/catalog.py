"""The catalog: one SQLite file for all that is not inside a single session.

The index of sessions in it is a projection: the log of a session is the truth. Everything else in it has its truth
here: repositories, pull requests of the built-in forge, logins, the audit. A commit outlives a kill of this process;
the last moments can be lost when the machine loses power, as with the logs.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from outrider.model.errors import OutriderError
from outrider.ports.clock import Clock
from outrider.storage.audit import SqlAudit
from outrider.storage.catalog_copy import CatalogRescue, rescue_catalog
from outrider.storage.egress_lists import SqlEgressLists
from outrider.storage.forge_catalog import SqlForgeCatalog
from outrider.storage.image_catalog import SqlImageCatalog
from outrider.storage.invites import SqlInvites
from outrider.storage.logins import SqlLogins
from outrider.storage.rates import SqlRates
from outrider.storage.session_index import SqlSessionIndex
from outrider.storage.session_log import disk_full

logger = logging.getLogger(__name__)

CONNECTIONS = 5
"""Each has a thread and a small cache, and stays open once it was needed. Who finds none free waits."""

_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The parts of the open catalog, each behind its port."""

    sessions: SqlSessionIndex
    forge: SqlForgeCatalog
    logins: SqlLogins
    invites: SqlInvites
    audit: SqlAudit
    images: SqlImageCatalog
    egress: SqlEgressLists
    rates: SqlRates
    rescue: CatalogRescue | None = None
    """What was done where the file was damaged."""


@asynccontextmanager
async def open_catalog(path: Path, clock: Clock) -> AsyncIterator[Catalog]:
    """Bring the file up to date, making it where there is none, and open it. A damaged one is put aside, and its newest
    copy taken. Raises OutriderError, naming the file."""
    rescue = await asyncio.to_thread(rescue_catalog, path)
    if rescue:
        logger.error("%s %s", rescue.sentence, rescue.remedy)
    await asyncio.to_thread(_migrate, path)
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=CONNECTIONS, max_overflow=0)
    _configure(engine.sync_engine)
    say_when_full(engine.sync_engine, path)
    try:
        catalog = replace(_parts(engine, clock), rescue=rescue)
        await catalog.egress.load()
        yield catalog
    finally:
        await engine.dispose()


def _parts(engine: AsyncEngine, clock: Clock) -> Catalog:
    return Catalog(
        sessions=SqlSessionIndex(engine),
        forge=SqlForgeCatalog(engine),
        logins=SqlLogins(engine),
        invites=SqlInvites(engine),
        audit=SqlAudit(engine, clock),
        images=SqlImageCatalog(engine),
        egress=SqlEgressLists(engine, clock),
        rates=SqlRates(engine, clock),
    )


def _migrate(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(f"sqlite:///{path}")
    _configure(engine)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver begins none before DDL: a kill would leave half
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (DBAPIError, sqlite3.Error, CommandError) as error:
        reason = str(getattr(error, "orig", error))
        raise OutriderError(
            f"The catalog {path} cannot be opened: {reason}.",
            "If a newer release wrote it, start that one. Else restore a backup; without one move it away: sessions "
            "are listed again from their logs; only pull requests, logins and lists of hosts are lost.",
        ) from error
    finally:
        engine.dispose()


def _configure(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "cache_size=-256"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def say_when_full(engine: Engine, path: Path) -> None:
    """Have a full disk raise LimitReached, from whatever part of the catalog writes."""

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise disk_full(path)
