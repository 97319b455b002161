"""The newest copy of the catalog, kept beside it, and what is done with a catalog that is damaged: it is put aside,
whole, and the server goes on with the copy.

Nothing is read out of the damaged file itself: a table of which a part is missing would say what never was. Sessions
are listed again from their logs. Logins and links to join are not in the copy: who was logged out since would be let in
again.
"""

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from outrider.model.errors import OutriderError
from outrider.storage.salvage import BESIDE, complete, put_aside, replace

CATALOG = "catalog.sqlite"
"""The name of the file in a home."""

BUSY_SECONDS = 10
LEFT_OUT = ("login", "invite")

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class CatalogRescue:
    """A catalog was damaged, and another one is in its place."""

    place: Path
    """Where the damaged one is."""
    reason: str
    copied_at: datetime | None
    """Of when the copy is that it goes on with; None where it had to begin anew."""

    @property
    def sentence(self) -> str:
        """What was done, for people."""
        what = (
            f"a copy of {self.copied_at:%Y-%m-%d %H:%M} UTC" if self.copied_at else "an empty one, as there was no copy"
        )
        return (
            f"The catalog was damaged ({self.reason}) and is put aside in {self.place}. The server goes on with {what}."
        )

    @property
    def remedy(self) -> str:
        """What that means."""
        lost = (
            "pull requests and lists of hosts are as they were then"
            if self.copied_at
            else ("pull requests of the built-in forge, imported repositories and lists of hosts are lost")
        )
        return (
            f"Sessions are listed again from their logs; {lost}; links to join are lost, and everybody has to log in "
            "again. Or stop the server and restore a backup."
        )


def copy_database(source: Path, target: Path) -> None:
    """One moment of a file and its write-ahead log, as one file. Raises sqlite3.Error where it cannot be read."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as db, closing(sqlite3.connect(target)) as copy:
        db.backup(copy)
    with closing(sqlite3.connect(target)) as copy:
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(str(found))


def copy_of(catalog: Path) -> Path:
    """Where the newest copy of a catalog is."""
    return catalog.with_name(f"{catalog.stem}-copy.sqlite")


def renew_copy(catalog: Path) -> bool:
    """Copy the catalog, where it has changed since the last copy was made. The old copy stays until the new one is
    whole. Raises OutriderError."""
    target = copy_of(catalog)
    if target.exists() and _changed_at(catalog) <= target.stat().st_mtime:
        return False
    fresh = target.with_name(f"{target.name}.new")
    changed = _changed_at(catalog)
    try:
        copy_database(catalog, fresh)
        with closing(sqlite3.connect(fresh)) as db, db:
            for table in LEFT_OUT:
                db.execute(f"DELETE FROM {table}")
        with closing(sqlite3.connect(fresh)) as db:
            db.execute("PRAGMA journal_mode=DELETE")
            db.execute("VACUUM")  # what was deleted is not to be found in free pages
        fresh.chmod(0o600)
        _sync(fresh)
        os.utime(fresh, (changed, changed))
        fresh.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise OutriderError(f"The catalog {catalog} cannot be copied: {error}.", "See `outrider doctor`.") from error
    return True


def lacks(catalog: Path) -> bool:
    """Whether the copy has other lists of hosts or numbers of pull requests than the catalog: what is not to go back.
    False where one of them cannot be read."""
    try:
        return copy_of(catalog).is_file() and _kept_close(catalog) != _kept_close(copy_of(catalog))
    except sqlite3.Error:
        return False


def _kept_close(path: Path) -> list[tuple[str, object]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as db:
        hosts = db.execute("SELECT repository, host FROM egress_host ORDER BY 1, 2").fetchall()
        return hosts + db.execute("SELECT repository, max(number) FROM pull_request GROUP BY 1 ORDER BY 1").fetchall()


def rescue_catalog(catalog: Path) -> CatalogRescue | None:
    """Put a damaged catalog aside and its newest copy in its place; None where it is not damaged."""
    complete(catalog)
    reason = damage(catalog)
    if not reason:
        return None
    place = put_aside(catalog)
    copy, fresh = copy_of(catalog), catalog.with_name(f"{catalog.stem}.new")
    usable = copy.is_file() and not damage(copy)
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    if usable:
        shutil.copyfile(copy, fresh)
    else:
        fresh.touch()
    fresh.chmod(0o600)
    _sync(fresh)
    replace(catalog, fresh)
    return CatalogRescue(place, reason, datetime.fromtimestamp(copy.stat().st_mtime, UTC) if usable else None)


def damage(path: Path) -> str:
    """What is wrong with a file of SQLite; empty where nothing is, or where it is something else than damage. The file
    is not changed."""
    if not path.is_file():
        return ""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "" if found == "ok" else " ".join(found.split())[:200]
    except sqlite3.DatabaseError as error:
        return str(error) if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED else ""


def _changed_at(path: Path) -> float:
    """Also what is in its write-ahead log counts."""
    files = (path, path.with_name(path.name + BESIDE[0]))
    return max(file.stat().st_mtime for file in files if file.exists())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
