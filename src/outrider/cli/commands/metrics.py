"""`outrider metrics`: the figures of the deployment in Prometheus' text format."""

import asyncio

import click

from outrider.cli.server import Servers
from outrider.settings import Settings


@click.command()
def metrics() -> None:
    """Print the figures that a monitoring system reads from /metrics: sessions, sandboxes, the pool, starts, money.

    \b
    outrider metrics
    outrider metrics | grep outrider_pool
    """
    click.echo(asyncio.run(_fetch(Servers.of(Settings.read()))), nl=False)


async def _fetch(servers: Servers) -> str:
    async with servers.reach() as client, client.stream("GET", "/metrics") as answer:
        return (await answer.aread()).decode()
