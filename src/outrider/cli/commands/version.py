"""`outrider version`."""

import click

from outrider import __version__


@click.command()
def version() -> None:
    """Print the version.

    \b
    outrider version
    """
    click.echo(__version__)
