"""`outrider doctor`: what works on this machine, and what to do about what does not."""

import asyncio
import json
from urllib.parse import quote

import click
from rich.console import Console
from rich.text import Text

from outrider.cli.checkout import Checkout
from outrider.cli.examination import examine
from outrider.cli.finding import Finding, State
from outrider.cli.follow import Exit
from outrider.cli.image_table import draw_diagnosis
from outrider.cli.layout import Hanging, beside, is_narrow
from outrider.cli.server import Servers
from outrider.cli.views import make_console, make_list_console
from outrider.model.image import Diagnosis, RepositoryImage
from outrider.settings import Settings

_ICON = {
    State.WORKS: ("✓", "green"),
    State.UNTRIED: ("·", "cyan"),
    State.WEAKER: ("!", "yellow"),
    State.ABSENT: ("-", "dim"),
    State.BROKEN: ("✗", "red"),
}


@click.command()
@click.option("--repo", help="Say instead how a repository (path, URL, or name) fares in its image.")
@click.option("--branch", help="The branch of it; the default one where none is named.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def doctor(repo: str | None, branch: str | None, *, as_json: bool) -> int:
    """Look at each part: is it there, which version, does it work, what to do. A sandbox is really started.

    With --repo: what the repository's checks said in its newest image, before anybody touched anything.

    \b
    outrider doctor
    outrider doctor --repo .

    Exit code: 0 everything needed works, 1 something does not.
    """
    settings = Settings.read()
    if repo is not None:
        return asyncio.run(_repository(settings, repo, branch, as_json=as_json))
    findings = asyncio.run(examine(settings, Servers.here(settings)))
    if as_json:
        for finding in findings:
            click.echo(json.dumps(finding.as_dict(), ensure_ascii=False))
    else:
        show(make_list_console(), findings)
    return Exit.FAILED if any(finding.state is State.BROKEN for finding in findings) else Exit.DONE


def show(console: Console, findings: list[Finding]) -> None:
    """A line a part; the remedy below what needs one."""
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        icon, colour = _ICON[finding.state]
        mark, detail = Text(f"{icon} ", style=colour), Text(finding.detail, style="dim")
        if is_narrow(console):
            console.print(Hanging(mark, Text(finding.part)))
            console.print(beside("", detail))
        else:
            console.print(Hanging(mark.append(f"{finding.part:<{width}}  ", style="default"), detail))
        if finding.remedy:
            console.print(beside("→", finding.remedy, "bold"))


async def _repository(settings: Settings, repo: str, branch: str | None, *, as_json: bool) -> int:
    """What the checks of a repository said in its newest image."""
    async with Servers.here(settings).reach() as client:
        name = await client.import_repository(Checkout.parse(repo).source, lambda _line: None)
        query = f"?branch={quote(branch, safe='')}" if branch else ""
        told = await client.ask("GET", f"/api/images/repositories/{name}{query}")
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    elif told["image"] is None:
        click.echo(f"{name} {told['branch']} has no image yet. Build it: outrider images build {name}")
    else:
        draw_diagnosis(make_console(), RepositoryImage.model_validate(told["image"]))
    diagnosis = told["image"] and told["image"]["diagnosis"]
    return Exit.DONE if diagnosis and not Diagnosis.model_validate(diagnosis).red else Exit.FAILED
