"""Images, builds and what checks say in an image, drawn for the terminal."""

from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean, clean_line
from outrider.cli.layout import beside, is_narrow, stack
from outrider.model.image import (
    BaseState,
    Build,
    BuildState,
    CheckFinding,
    Collected,
    Diagnosis,
    Renewed,
    RepositoryImage,
)

STATE = {
    BuildState.QUEUED: ("waiting", "dim"),
    BuildState.RUNNING: ("building", "cyan"),
    BuildState.DONE: ("ready", "green"),
    BuildState.FAILED: ("failed", "red"),
    BuildState.CANCELLED: ("cancelled", "yellow"),
}

WIDE, WIDER = 100, 140
TAIL_LINES = 6


def draw_images(console: Console, rows: list[dict[str, Any]], now: datetime) -> None:
    """A row a branch, without what does not fit; below it why a build failed."""
    if is_narrow(console):
        for row in rows:
            _stack_image(console, row, now)
    else:
        console.print(_images_table(rows, now, console.width))
    for build in filter(None, map(_build, rows)):
        if build.failed:
            console.print(beside("✗", f"{build.repository} {build.branch}: {clean_line(build.detail)}", "red"))


def _stack_image(console: Console, row: dict[str, Any], now: datetime) -> None:
    build, image = _build(row), _image(row)
    commit, old, large = _about(image, now)
    facts = [_state(build, image), _checks(image), commit if image else Text("no image", "dim"), old, large]
    stack(console, [f"{row['repository']} {row['branch']}"], Text("  ").join(fact for fact in facts if fact.plain))


def _images_table(rows: list[dict[str, Any]], now: datetime, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("repository", "branch", "commit", "age"):
        table.add_column(name, no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("checks", no_wrap=True, overflow="ellipsis")
    wide = [name for name, least in (("build", WIDE), ("because", WIDER)) if width >= least]
    for name in wide:
        table.add_column(name, no_wrap=True, style="dim", overflow="ellipsis")
    for row in rows:
        build, image = _build(row), _image(row)
        cells = [Text(row["repository"]), Text(row["branch"]), *_about(image, now)[:2], _state(build, image)]
        cells += [_about(image, now)[2], _checks(image)]
        cells += [Text(clean_line(said)) for said in _of_build(build)][: len(wide)]
        table.add_row(*cells)
    return table


def _of_build(build: Build | None) -> tuple[str, str]:
    return (build.id, build.why) if build else ("", "")


def draw_bases(console: Console, rows: list[BaseState], now: datetime) -> None:
    """A row a base."""
    if is_narrow(console):
        for row in rows:
            stack(
                console,
                [clean_line(row.name)],
                f"{_age_of(row, now)} old, {row.layer}" if row.made_at else f"of unknown age, {row.layer}",
            )
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("base", "age", "layer"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", style="dim" if name == "layer" else "")
    for row in rows:
        table.add_row(Text(clean_line(row.name)), _age_of(row, now), row.layer)
    console.print(table)


def _age_of(row: BaseState, now: datetime) -> str:
    return age(now - row.made_at) if row.made_at else "unknown"


def draw_collected(console: Console, collected: Collected, now: datetime) -> None:
    """What was last deleted of old layers, in a line."""
    what = "1 old layer was" if collected.layers == 1 else f"{collected.layers} old layers were"
    when = age(now - collected.at)
    since = "just now" if when == "new" else f"{when} ago"
    console.print(Text(f"{what} deleted {since}: {size(collected.bytes)}.", style="dim"))


def draw_renewed(console: Console, rows: list[Renewed]) -> None:
    """What came of each, in a line."""
    for row in rows:
        said = "stays as it is" if not row.changed else "is new; images above it are rebuilt in the background"
        icon, colour = ("✗", "red") if row.problem else ("✓", "green")
        line = f"{row.name} {said}." + (f" {row.problem}" if row.problem else "")
        console.print(beside(icon, clean_line(line), colour, indent=0))


def draw_build(console: Console, build: Build) -> None:
    """How a build ended, in a line."""
    word, colour = STATE[build.state]
    took = f" ({words.seconds(build.seconds)})" if build.seconds is not None else ""
    console.print(beside("●", Text(f"{word}{took}: {clean_line(build.detail)}"), colour, indent=0))


def draw_diagnosis(console: Console, image: RepositoryImage) -> None:
    """The doctor's page of one image: each check, what is missing, what was red before anybody touched it."""
    found = image.diagnosis
    console.print(Text(f"{image.repository} {image.branch} at {image.commit[:12]}", style="bold"))
    if found is None:
        console.print(beside("", "Its checks have not been run.", indent=2))
        return
    for check in found.checks:
        _draw_check(console, check)
    for line in _remarks(found):
        console.print(beside("!", line, "yellow"))
    console.print(beside("", f"{found.summary} It took {words.seconds(found.seconds)}.", indent=2))


def _draw_check(console: Console, check: CheckFinding) -> None:
    icon, colour = ("✓", "green") if check.green else ("✗", "red")
    counts = (("passed", check.passed), ("failed", check.failed), ("errors", check.errors), ("skipped", check.skipped))
    told = ", ".join(f"{number} {name}" for name, number in counts if number)
    line = Text(f"{check.name}: {words.CHECK[check.verdict]}, {words.seconds(check.seconds)}")
    line.append(f"  {told}" if told else "", style="dim")
    console.print(beside(icon, line, colour))
    if not check.green:
        for said in clean(check.tail).strip().splitlines()[-TAIL_LINES:]:
            console.print(beside("", Text(said, style="dim"), indent=6))


def _remarks(found: Diagnosis) -> list[str]:
    lines = [f"{name} was red before anybody touched it." for name in found.red]
    lines += [f"{tool} was not found: name its Debian package in outrider.toml." for tool in found.missing_tools]
    return lines + [f"The service {name} did not get ready." for name in found.skipped_services]


def _build(row: dict[str, Any]) -> Build | None:
    return Build.model_validate(row["build"]) if row["build"] else None


def _image(row: dict[str, Any]) -> RepositoryImage | None:
    return RepositoryImage.model_validate(row["image"]) if row["image"] else None


def _about(image: RepositoryImage | None, now: datetime) -> tuple[Text, Text, Text]:
    if image is None:
        return Text("none", style="dim"), Text(""), Text("")
    return Text(image.commit[:12]), Text(age(now - image.built_at)), Text(size(image.bytes))


def _state(build: Build | None, image: RepositoryImage | None) -> Text:
    """What the newest build is at, else that there is an image."""
    word, colour = STATE[build.state] if build else ("ready", "green")
    if build and build.state is BuildState.CANCELLED and image:
        word, colour = "ready", "green"
    return Text(word, style=colour)


def _checks(image: RepositoryImage | None) -> Text:
    if image is None or image.diagnosis is None:
        return Text("")
    found = image.diagnosis
    if not found.checks:
        return Text("none", style="dim")
    if found.red:
        return Text(f"red: {', '.join(found.red)}", style="red")
    return Text(f"{len(found.checks)} green", style="green")


def age(past: timedelta) -> str:
    """How old, in one number."""
    seconds = max(int(past.total_seconds()), 0)
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return "new"


def size(number: int) -> str:
    """Bytes in few characters."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit in ("B", "kB") else f"{number:.1f} {unit}"
        number = number / 1000  # type: ignore[assignment]
    raise AssertionError
