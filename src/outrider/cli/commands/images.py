"""`outrider images`: the images that sessions start from, and the builds that make them."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import click

from outrider.cli.checkout import Checkout
from outrider.cli.client import IMPORT_SECONDS, Client
from outrider.cli.follow import Exit
from outrider.cli.image_table import draw_bases, draw_build, draw_collected, draw_images, draw_renewed
from outrider.cli.server import Servers
from outrider.cli.views import make_console, make_list_console
from outrider.model.image import BaseState, Build, BuildState, Collected, Renewed
from outrider.ports.clock import SystemClock
from outrider.settings import Settings

EMPTY = "No images yet. One is built after the first session on a repository, or now: outrider images build REPO"
OFF = "Images are not built here: OUTRIDER_IMAGE_BUILDS is 0."

AsJson = click.option("--json", "as_json", is_flag=True, help="One object a line.")


@click.group(invoke_without_command=True)
@AsJson
@click.pass_context
def images(context: click.Context, *, as_json: bool) -> None:
    """List the images that sessions start from: branch, commit, age, size, and what the checks say in them.

    \b
    outrider images
    outrider images build . --full
    outrider images log build-k4q7ab2xyz
    outrider images cancel build-k4q7ab2xyz
    """
    if context.invoked_subcommand is not None:
        return
    told = asyncio.run(_ask("GET", "/api/images"))
    if as_json:
        for row in told["images"]:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        _draw(told)


@images.command()
@click.argument("repo")
@click.option("--branch", help="The branch to build; the default one where none is named.")
@click.option("--full", is_flag=True, help="From the machine image, not on the last image of the branch.")
@click.option("--detach", is_flag=True, help="Ask for it and leave.")
@AsJson
def build(repo: str, branch: str | None, *, full: bool, detach: bool, as_json: bool) -> int:
    """Build the image of a branch of REPO (path, URL, or name) now, and show the log.

    \b
    outrider images build .
    outrider images build ~/src/shop --branch next --full

    Exit code: 0 built, 1 failed or cancelled.
    """
    wanted = {"repository": Checkout.parse(repo).source, "branch": branch, "full": full}
    return asyncio.run(_build(wanted, detach=detach, as_json=as_json))


@images.command()
@click.option("--renew", is_flag=True, help="Build ours anew and look tags up again, now; it takes a minute or more.")
@AsJson
def bases(*, renew: bool, as_json: bool) -> int:
    """List the bases of sandboxes and how old they are, or renew them.

    \b
    outrider images bases
    outrider images bases --renew

    Exit code: 0 done, 1 one could not be renewed.
    """
    return asyncio.run(_bases(renew=renew, as_json=as_json))


@images.command()
@click.argument("build_id", metavar="ID")
def cancel(build_id: str) -> None:
    """Stop a build, or take it out of the queue. The last image stays.

    \b
    outrider images cancel build-k4q7ab2xyz
    """
    asyncio.run(_ask("POST", f"/api/images/builds/{build_id}/cancel"))
    click.echo("Cancelled.")


@images.command()
@click.argument("build_id", metavar="ID")
@AsJson
def log(build_id: str, *, as_json: bool) -> int:
    """Show the log of a build, live where it runs.

    \b
    outrider images log build-k4q7ab2xyz

    Exit code: 0 built, 1 failed or cancelled.
    """
    return asyncio.run(_log(build_id, as_json=as_json))


def _draw(told: dict[str, Any]) -> None:
    console, now = make_list_console(), SystemClock().now()
    if told["images"]:
        draw_images(console, told["images"], now)
    else:
        click.echo(EMPTY if told["builds_here"] else OFF)
    if told.get("collected"):
        draw_collected(console, Collected.model_validate(told["collected"]), now)


async def _ask(method: str, path: str) -> dict[str, Any]:
    async with Servers.of(Settings.read()).reach() as client:
        return await client.ask(method, path)


async def _bases(*, renew: bool, as_json: bool) -> int:
    said = "Renewing; a base that is built anew takes a minute or more." if renew else ""
    async with Servers.of(Settings.read()).reach() as client:
        method, path, key = ("POST", "/renew", "renewed") if renew else ("GET", "", "bases")
        with _waiting(said):
            told = (await client.ask(method, f"/api/images/bases{path}", timeout=IMPORT_SECONDS))[key]
    if as_json:
        click.echo("\n".join(json.dumps(row, ensure_ascii=False) for row in told))
    elif renew:
        draw_renewed(make_console(), [Renewed.model_validate(row) for row in told])
    else:
        draw_bases(make_list_console(), [BaseState.model_validate(row) for row in told], SystemClock().now())
    return Exit.FAILED if any(row.get("problem") for row in told) else Exit.DONE


@contextmanager
def _waiting(said: str) -> Iterator[None]:
    """Say on stderr what is waited for; on a terminal with a sign that it goes on."""
    console = make_console(to_stderr=True)
    if said and not console.is_terminal:
        console.print(said)
    with console.status(said, spinner="dots") if said else nullcontext():
        yield


async def _build(wanted: dict[str, Any], *, detach: bool, as_json: bool) -> int:
    async with Servers.of(Settings.read()).reach() as client:
        made = (await client.ask("POST", "/api/images/builds", wanted, timeout=IMPORT_SECONDS))["build"]
        if detach:
            click.echo(json.dumps(made) if as_json else f"Asked for {made['id']}.")
            return Exit.DONE
        if not as_json:
            click.echo(f"{made['id']}: Ctrl-C leaves it running.", err=True)
        return await _follow(client, made["id"], as_json=as_json)


async def _log(build_id: str, *, as_json: bool) -> int:
    async with Servers.of(Settings.read()).reach() as client:
        return await _follow(client, build_id, as_json=as_json)


async def _follow(client: Client, build_id: str, *, as_json: bool) -> int:
    """Show a build's log to its end."""
    console, ended = make_console(), None
    async with client.stream("GET", f"/api/images/builds/{build_id}/log", timeout=IMPORT_SECONDS) as answer:
        async for raw in answer.aiter_lines():
            told = json.loads(raw)
            ended = told.get("build", ended)
            if as_json:
                click.echo(raw)
            elif "line" in told:
                console.print(told["line"], style="bold" if told["line"].startswith("==> ") else "")
    if ended is None:
        return Exit.FAILED
    made = Build.model_validate(ended)
    if not as_json:
        draw_build(console, made)
    return Exit.DONE if made.state is BuildState.DONE else Exit.FAILED
