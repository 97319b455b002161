"""`outrider restore`: a backup into an empty home."""

import asyncio
from pathlib import Path

import click

from outrider.app.backup.reading import check
from outrider.app.backup.restoring import finish, newest_archive
from outrider.app.backup.restoring import restore as put_back
from outrider.app.supplies import make_layer_blobs
from outrider.cli.commands.backup import tell
from outrider.cli.meter import Meter
from outrider.cli.server import Servers
from outrider.settings import Settings


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--check", "only_check", is_flag=True, help="Restore nothing; say whether the backup is whole.")
def restore(source: Path, *, only_check: bool) -> None:
    """Put a backup into an empty home (OUTRIDER_HOME), all of it or nothing. A folder as SOURCE means the newest backup
    in it. A home that has sessions or repositories is refused, as is one in which a server runs. Afterwards every
    session is as it was; what sandboxes start from is built again by the first that needs it, or by `outrider setup`.

    \b
    OUTRIDER_HOME=/srv/outrider outrider restore /srv/backups
    outrider restore --check outrider.tar.zst
    """
    settings = Settings.read()
    servers = Servers.here(settings)
    source = newest_archive(source)
    meter = Meter(servers.clock)
    if only_check:
        report = check(source, lambda done, of: meter.show("Checking", done, of))
        meter.clear()
        tell(report, f"{source} is whole")
        return
    with servers.home.claim(restoring=True):
        if servers.home.unfinished_restore.exists():
            finish(servers.home)
            click.echo(f"Completed the restore into {servers.home.path} that was cut off.")
            return
        layers = make_layer_blobs(settings) if settings.blobs else None
        report = asyncio.run(put_back(source, servers.home, layers, lambda done, of: meter.show("Restoring", done, of)))
        meter.clear()
    tell(report, f"Restored into {servers.home.path}")
    click.echo("Start it: outrider up")
