"""`outrider queue`: the prompts of a session that wait for their turn."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from outrider.cli.clean import clean, clean_line
from outrider.cli.client import Client
from outrider.cli.commands.run import ATTACHED, read_prompt
from outrider.cli.layout import Hanging, beside, is_narrow, make_table
from outrider.cli.server import Servers
from outrider.cli.upload import upload
from outrider.cli.views import make_list_console
from outrider.model.errors import NotFound, Refused
from outrider.model.ids import SessionId
from outrider.settings import Settings

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """One session's queue, asked for anew by each command."""

    client: Client
    session: str

    async def rows(self) -> list[Row]:
        """The prompts that wait, next first."""
        found: list[Row] = (await self.client.ask("GET", f"/api/sessions/{self.session}"))["queue"]
        return found

    async def find(self, which: str) -> Row:
        """A prompt by its place or its id. Raises NotFound."""
        rows = await self.rows()
        for place, row in enumerate(rows, start=1):
            if which in (str(place), row["id"]):
                return row
        waiting = f"{len(rows)} wait" if rows else "Nothing waits"
        raise NotFound(f"There is no prompt {which} in the queue.", f"{waiting}: see `outrider queue {self.session}`.")

    async def change(self, method: str, prompt: Row, what: str = "", body: Row | None = None) -> None:
        """Ask for a change of one prompt."""
        path = f"/api/sessions/{self.session}/prompts/{prompt['id']}"
        await self.client.ask(method, f"{path}/{what}" if what else path, body)


@click.group(invoke_without_command=True)
@click.argument("session", metavar="SESSION")
@click.pass_context
def queue(ctx: click.Context, session: str) -> None:
    """List the prompts that wait in a session, and change them until their turn begins.

    A prompt is named by its place, 1 is next, or by its id.

    \b
    outrider queue s-k4q7ab2xyz
    outrider queue s-k4q7ab2xyz edit 2
    outrider queue s-k4q7ab2xyz add "Also mend the French page" --attach page.png
    outrider queue s-k4q7ab2xyz edit 2 "Also mend the German page"
    outrider queue s-k4q7ab2xyz edit 2 --attach german.png --drop page.png
    outrider queue s-k4q7ab2xyz move 3 1
    outrider queue s-k4q7ab2xyz withdraw 2
    outrider queue s-k4q7ab2xyz steer 1
    """
    ctx.obj = session
    if ctx.invoked_subcommand is None:
        _list(session, as_json=False)


@queue.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.pass_obj
def list_prompts(session: str, *, as_json: bool) -> None:
    """List the prompts that wait, next first."""
    _list(session, as_json=as_json)


@queue.command()
@click.argument("text")
@click.option("--attach", "files", multiple=True, type=ATTACHED, metavar="FILE", help="Send a file too.")
@click.option("--key", help="The same key again is the same prompt: nothing is queued twice.")
@click.pass_obj
def add(session: str, text: str, files: tuple[Path, ...], key: str | None) -> None:
    """Queue a prompt and leave; `-` reads it from stdin.

    \b
    outrider queue s-k4q7ab2xyz add "Also mend the French page" --key french
    """
    prompt = read_prompt(text)

    async def work(queue: Queue) -> str:
        return await queue.client.queue_prompt(SessionId(session), prompt, await upload(queue.client, files), key)

    _say(session, work)


@queue.command()
@click.argument("which", metavar="PROMPT")
@click.argument("text", required=False)
@click.option("--attach", "files", multiple=True, type=ATTACHED, metavar="FILE", help="Send one more file with it.")
@click.option("--drop", multiple=True, metavar="NAME", help="Take a file of it away, by its name.")
@click.pass_obj
def edit(session: str, which: str, text: str | None, files: tuple[Path, ...], drop: tuple[str, ...]) -> None:
    """Give a prompt another text, or other files. `-` reads the text from stdin; without TEXT your editor opens
    (EDITOR), where no files are named.

    Only its author and owners may. What somebody else has written meanwhile is not written over.

    \b
    outrider queue s-k4q7ab2xyz edit 2 "Also mend the German page"
    outrider queue s-k4q7ab2xyz edit 2 --attach german.png --drop page.png
    """

    async def work(queue: Queue) -> str:
        row = await queue.find(which)
        kept = _without(row, drop)
        new = await _new_text(row, text, asks=not files and not drop)
        if new == row["text"] and not files and not drop:
            return "Nothing was changed."
        body: Row = {"text": new, "revision": row["revision"]}
        if files or drop:
            body["attachments"] = [*kept, *await upload(queue.client, files)]
        await queue.change("PATCH", row, body=body)
        attached = body["attachments"] if "attachments" in body else row["attachments"]
        return f"The prompt is: {_short(new)}{_with_files(attached)}"

    _say(session, work)


@queue.command()
@click.argument("which", metavar="PROMPT")
@click.argument("place", type=click.IntRange(1))
@click.pass_obj
def move(session: str, which: str, place: int) -> None:
    """Give a prompt another place; 1 is next."""

    _change(session, which, f"Moved to {place}", "POST", "move", {"position": place - 1})


@queue.command()
@click.argument("which", metavar="PROMPT")
@click.pass_obj
def withdraw(session: str, which: str) -> None:
    """Take a prompt out of the queue."""

    _change(session, which, "Withdrawn", "DELETE")


@queue.command()
@click.argument("which", metavar="PROMPT")
@click.pass_obj
def steer(session: str, which: str) -> None:
    """Stop the running turn and run this prompt next. What the turn has written stays."""

    _change(session, which, "Runs next", "POST", "steer")


def _change(session: str, which: str, done: str, method: str, what: str = "", body: Row | None = None) -> None:
    """One change of one prompt; `done` says it, before the prompt's words."""

    async def work(queue: Queue) -> str:
        row = await queue.find(which)
        await queue.change(method, row, what, body)
        return f"{done}: {_short(row['text'])}"

    _say(session, work)


def _say(session: str, work: Callable[[Queue], Awaitable[str]]) -> None:
    async def ask() -> str:
        async with Servers.of(Settings.read()).reach() as client:
            return await work(Queue(client, session))

    click.echo(asyncio.run(ask()))


def _list(session: str, *, as_json: bool) -> None:
    async def ask() -> list[Row]:
        async with Servers.of(Settings.read()).reach() as client:
            return await Queue(client, session).rows()

    rows = asyncio.run(ask())
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        draw(make_list_console(), rows)
    else:
        click.echo("Nothing waits.")


def draw(console: Console, rows: list[Row]) -> None:
    """A row a prompt, next first; in a narrow terminal two lines each."""
    if is_narrow(console):
        for place, row in enumerate(rows, start=1):
            console.print(Hanging(Text(f"{place}  ", "bold"), Text(_said(row))))
            console.print(beside("", Text(f"by {_by(row)}, {row['id']}", "dim"), indent=3))
        return
    table = make_table(console)
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("prompt", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("by", no_wrap=True, max_width=24 if console.is_terminal else None, overflow="ellipsis")
    table.add_column("id", no_wrap=True)
    for place, row in enumerate(rows, start=1):
        table.add_row(*(Text(cell) for cell in (str(place), _said(row), _by(row), row["id"])))
    console.print(table)


def _said(row: Row) -> str:
    return _short(row["text"]) + _with_files(row["attachments"])


def _by(row: Row) -> str:
    return clean_line(row["author"]["person"]["name"]) + (", edited" if row["edited_by"] else "")


def _with_files(files: list[Row]) -> str:
    """Their names."""
    return f" (with {', '.join(clean_line(file['name']) for file in files)})" if files else ""


def _without(row: Row, dropped: tuple[str, ...]) -> list[Row]:
    """The files that a prompt keeps, as a request names them. Raises NotFound for one that it has not."""
    names = [file["name"] for file in row["attachments"]]
    for name in dropped:
        if name not in names:
            there = f"There are: {', '.join(map(clean_line, names))}." if names else "It has none."
            raise NotFound(f"The prompt has no file {clean_line(name)}.", there)
    return [{"id": file["id"], "name": file["name"]} for file in row["attachments"] if file["name"] not in dropped]


async def _new_text(row: Row, given: str | None, *, asks: bool) -> str:
    """What is given, else what the person makes of it in their editor, where they are asked; else it stays."""
    if given is not None:
        return read_prompt(given)
    edited = await asyncio.to_thread(_in_editor, str(row["text"])) if asks else None
    return str(row["text"]) if edited is None else edited


def _in_editor(text: str) -> str | None:
    """The text as the person left it; None where it was not saved. Raises Refused where no editor can be run."""
    try:
        edited = click.edit(text, require_save=True)
    except click.ClickException as error:
        raise Refused(str(error.message), "Set EDITOR, or give the text after the prompt's place.") from error
    return None if edited is None else read_prompt(edited.rstrip("\n"))


def _short(text: str) -> str:
    """Its first line."""
    return next((line for line in clean(text).splitlines() if line.strip()), "")
