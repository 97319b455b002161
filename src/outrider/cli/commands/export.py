"""`outrider export`: a session's whole story, to keep or to hand on."""

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import click

from outrider.cli.server import Servers
from outrider.model.errors import BadRequest
from outrider.model.ids import SessionId
from outrider.settings import Settings


@click.command()
@click.argument("session")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True,
    help="Markdown for people; JSON has every event as it is stored, one a line.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new file; without it the terminal.")
def export(session: str, form: str, output: Path | None) -> None:
    """Write a session's whole story, whichever engine worked in it.

    \b
    outrider export s-k4q7ab2xyz -o story.md
    outrider export s-k4q7ab2xyz --format json | wc -l
    """
    with ExitStack() as stack:
        target: BinaryIO = sys.stdout.buffer
        if output is not None:
            target = stack.enter_context(_new_file(output))
        asyncio.run(_write(Servers.of(Settings.read()), SessionId(session), form, target))
    if output is not None:
        click.echo(f"Written to {output}.")


async def _write(servers: Servers, session: SessionId, form: str, target: BinaryIO) -> None:
    path = f"/api/sessions/{session}/transcript?format={form}"
    async with servers.reach() as client, client.stream("GET", path) as answer:
        async for piece in answer.aiter_bytes():
            target.write(piece)


def _new_file(path: Path) -> BinaryIO:
    try:
        return path.open("xb")
    except FileExistsError:
        raise BadRequest(f"{path} exists already.", "Name another file, or move it away.") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}.") from error
