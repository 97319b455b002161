"""`outrider doctor`: what works on this machine, and what to do about what does not."""

import asyncio
import json

import click
from rich.console import Console
from rich.text import Text

from outrider.cli.examination import Finding, State, examine
from outrider.cli.follow import Exit
from outrider.cli.layout import Hanging, beside
from outrider.cli.server import Servers
from outrider.cli.views import make_console
from outrider.settings import Settings

_ICON = {
    State.WORKS: ("✓", "green"),
    State.WEAKER: ("!", "yellow"),
    State.ABSENT: ("-", "dim"),
    State.BROKEN: ("✗", "red"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def doctor(*, as_json: bool) -> int:
    """Look at each part: is it there, which version, does it work, what to do. A sandbox is really started.

    \b
    outrider doctor
    outrider doctor --json

    Exit code: 0 everything needed works, 1 something does not.
    """
    settings = Settings.read()
    findings = asyncio.run(examine(settings, Servers.of(settings)))
    if as_json:
        for finding in findings:
            click.echo(json.dumps(finding.as_dict(), ensure_ascii=False))
    else:
        show(make_console(), findings)
    return Exit.FAILED if any(finding.state is State.BROKEN for finding in findings) else Exit.DONE


def show(console: Console, findings: list[Finding]) -> None:
    """A line a part; the remedy below what needs one."""
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        icon, colour = _ICON[finding.state]
        lead = Text(f"{icon} ", style=colour).append(f"{finding.part:<{width}}  ", style="default")
        console.print(Hanging(lead, Text(finding.detail, style="dim")))
        if finding.remedy:
            console.print(beside("→", finding.remedy, "bold"))
