"""`outrider setup`: what every sandbox starts from, built once."""

import asyncio
import sys

import click
from rich.text import Text

from outrider.app.home import Home
from outrider.app.providers import choose_provider
from outrider.app.supplies import make_base_image, make_toolbox
from outrider.cli.clean import clean_line
from outrider.cli.follow import Exit
from outrider.cli.views import make_console
from outrider.fleet.base_image import BaseImage
from outrider.fleet.toolbox import Toolbox
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import SandboxProvider
from outrider.settings import Settings

Sources = dict[str, BaseImage | Toolbox]
"""Where each layer comes from, by its name for people."""


@click.command()
@click.option("--check", is_flag=True, help="Build nothing; exit 1 and name what is missing.")
def setup(*, check: bool) -> int:
    """Build what every sandbox starts from: a bare Debian, and the toolbox with node and the engine.

    What is there is skipped. A server builds it too, when the first session needs it.

    \b
    outrider setup
    outrider setup --check
    """
    settings = Settings.read()
    Home(settings.home).prepare()
    return asyncio.run(_setup(settings, check=check))


async def _setup(settings: Settings, *, check: bool) -> int:
    provider = (await choose_provider(settings, SystemClock())).provider
    sources: Sources = {"base image": make_base_image(settings), "toolbox": make_toolbox(settings)}
    if check:
        lacking = await missing(provider, sources)
        click.echo("\n".join(lacking), nl=bool(lacking))
        return Exit.FAILED if lacking else Exit.DONE
    await build(provider, sources)
    await provider.settle()
    return Exit.DONE


async def missing(provider: SandboxProvider, sources: Sources) -> list[str]:
    """Names of the layers that are not there."""
    return [name for name, source in sources.items() if await source.newest(provider) is None]


async def build(provider: SandboxProvider, sources: Sources) -> None:
    """Build what is missing, and show how far it is: in place on a terminal, a line a stage elsewhere."""
    console = make_console()
    if console.is_terminal:
        with console.status("Building", spinner="dots") as status:
            for source in sources.values():
                await source.ensure(provider, lambda line: status.update(Text(clean_line(line), overflow="ellipsis")))
    else:
        for source in sources.values():
            await source.ensure(provider, _stage)
    console.print(Text("✓ Sandbox images are ready.", style="green"))


def _stage(line: str) -> None:
    """Our own sentences; what apt and npm print between is for a terminal."""
    if line.startswith(("Building", "Unpacking", "Installing")):
        sys.stdout.write(f"    {clean_line(line)}\n")
        sys.stdout.flush()
