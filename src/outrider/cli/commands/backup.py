"""`outrider backup`: everything that cannot be made again, in one file."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click
import zstandard

from outrider.app.backup.reading import ZSTD_SUFFIX, check
from outrider.app.backup.writing import Backup, source_of
from outrider.cli.meter import Meter
from outrider.cli.server import Servers
from outrider.model.backup import BackupReport
from outrider.model.errors import BadRequest
from outrider.settings import Settings


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--without-snapshots", is_flag=True, help="Leave the files of sandboxes out: small, but only what was pushed."
)
@click.option("--with-secrets", is_flag=True, help="Put the owner's token and the logins in, too. Keep the file safe.")
def backup(target: Path, *, without_snapshots: bool, with_secrets: bool) -> None:
    """Write every session, repository, pull request, artifact and snapshot of this home into one file, while the
    server works or while none runs. A folder as TARGET gets a file named by the time. The file is read again and
    checked before it gets its name. It holds no keys, and without --with-secrets no token.

    \b
    outrider backup /srv/backups
    outrider backup outrider.tar.zst
    """
    settings = Settings.read()
    servers = Servers.here(settings)
    place = _place(target, servers)
    report = asyncio.run(_write(settings, servers, place, snapshots=not without_snapshots, secrets=with_secrets))
    tell(report, f"Backed up to {place}")


def tell(report: BackupReport, done: str) -> None:
    """What is in a backup, and what is not."""
    head = report.head
    size = f"{report.bytes / (1 << 20):.1f} MB"
    click.echo(
        f"{done}: {head.sessions} sessions, {report.files} files, {size}, of {head.started_at:%Y-%m-%d %H:%M} UTC."
    )
    if not head.snapshots:
        click.echo("Without snapshots: sessions will go on from what was pushed.")
    if report.without_files:
        click.echo(f"Not stored when it was taken, so without their newest files: {', '.join(report.without_files)}.")
    if report.damaged:
        click.echo(f"Damaged already, kept as they are: {', '.join(report.damaged)}.")


def _place(target: Path, servers: Servers) -> Path:
    if target.is_dir():
        target = target / f"outrider-{servers.clock.now():%Y%m%d-%H%M%S}.tar"
    if target.exists():
        raise BadRequest(f"{target} exists already.", "Name another file, or move it away.")
    if not target.absolute().parent.is_dir():
        raise BadRequest(f"The folder {target.absolute().parent} does not exist.", "Make it, or name another.")
    return target


async def _write(settings: Settings, servers: Servers, place: Path, *, snapshots: bool, secrets: bool) -> BackupReport:
    """Beside its place, then under its name: half a backup never has it."""
    fresh = place.with_name(f".{place.name}.partial{ZSTD_SUFFIX if place.suffix == ZSTD_SUFFIX else ''}")
    meter = Meter(servers.clock)
    try:
        async with AsyncExitStack() as stack:
            pieces = await stack.enter_async_context(_pieces(settings, servers, snapshots=snapshots, secrets=secrets))
            await _save(pieces, fresh, meter)
        report = await asyncio.to_thread(check, fresh, lambda done, of: meter.show("Checking", done, of))
        meter.clear()
        await asyncio.to_thread(_name, fresh, place)
    finally:
        fresh.unlink(missing_ok=True)
    return report


@asynccontextmanager
async def _pieces(
    settings: Settings, servers: Servers, *, snapshots: bool, secrets: bool
) -> AsyncIterator[AsyncIterator[bytes]]:
    """From the server, or read by ourselves where none runs, while none may start."""
    if servers.home.running() is not None:
        query = f"snapshots={str(snapshots).lower()}&secrets={str(secrets).lower()}"
        async with servers.reach() as client, client.stream("GET", f"/api/backup?{query}", timeout=600) as answer:
            yield answer.aiter_bytes()
        return
    if not servers.home.path.is_dir():
        raise BadRequest(f"There is no home in {servers.home.path}.", "Set OUTRIDER_HOME.")
    with servers.home.claim():
        yield Backup(source_of(settings, servers.clock), snapshots=snapshots, secrets=secrets).stream()


async def _save(pieces: AsyncIterator[bytes], fresh: Path, meter: Meter) -> None:
    done = 0
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            sink = (
                zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False)
                if fresh.suffix == ZSTD_SUFFIX
                else file
            )
            async for piece in pieces:
                await asyncio.to_thread(sink.write, piece)
                done += len(piece)
                meter.show("Backing up", done, None)
            sink.flush()
            if sink is not file:
                sink.close()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadRequest(f"{fresh.parent} cannot be written: {error.strerror}.", "Is there room?") from error


def _name(fresh: Path, place: Path) -> None:
    os.link(fresh, place)  # unlike a rename it refuses to replace what is there by now
    folder = os.open(place.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
