"""What is drawn for each kind of event. An event without an entry here is silent in the terminal."""

from functools import singledispatch

from rich.console import RenderableType
from rich.text import Text

from outrider.cli import draw_children, draw_history, draw_members, draw_snapshots, tool_calls, words
from outrider.cli.clean import clean, clean_line
from outrider.cli.evidence import NARROW, card, check_line
from outrider.cli.layout import beside
from outrider.cli.scene import Block, Scene
from outrider.model import events
from outrider.model.base import Model
from outrider.model.engine import Usage
from outrider.model.person import VIA_GUEST
from outrider.model.proof import CheckVerdict
from outrider.model.repository import Commit
from outrider.model.services import ServiceStatus

PROMPT_LINES = 30
PLAN_ICON = {"completed": "✓", "in_progress": "▸", "pending": "·"}


@singledispatch
def draw(event: Model, scene: Scene) -> Block | None:
    """The block of lines for an event, or None; what goes on now is left in `scene.status`."""
    return None


@draw.register
def _(event: events.SessionCreated, scene: Scene) -> Block:
    scene.session, scene.model = event.session, event.model
    commit = event.base_commit[:8]
    head = Text().append(clean_line(event.title), style="bold")
    about = f"{event.session} · {event.repository.name} · {clean_line(event.base_branch)} at {commit} · {event.model}"
    lines = [head, Text(about, style="dim")]
    if event.model.is_rehearsal:
        lines.append(Text(words.REHEARSAL, style="yellow"))
    return Block("head", tuple(lines))


@draw.register
def _(event: events.PromptQueued, scene: Scene) -> Block:
    author = event.prompt.author
    text = clean(event.prompt.text).strip().splitlines()
    shown = [beside("", line) for line in text[:PROMPT_LINES]]
    if len(text) > PROMPT_LINES:
        shown.append(beside("", Text(f"… {words.count(len(text) - PROMPT_LINES, 'line')} more", style="dim")))
    for file in event.prompt.attachments:
        size = words.size(file.size)
        shown.append(beside("+", Text(clean_line(file.name)).append(f"  {file.media_type}, {size}", style="dim")))
    who = clean_line(author.person.name) + (" (a guest)" if author.via == VIA_GUEST else "")
    return Block("prompt", (Text(f"▍ {who}", style="bold cyan"), *shown))


@draw.register
def _(event: events.PromptWithdrawn, scene: Scene) -> Block:
    return _note(f"{clean_line(event.by.name)} withdrew a prompt.")


@draw.register
def _(event: events.PromptMoved, scene: Scene) -> Block:
    return _note(f"{clean_line(event.by.name)} moved a prompt to place {event.position + 1} of the queue.")


@draw.register
def _(event: events.PromptEdited, scene: Scene) -> Block:
    whose = "their" if event.by == event.author else f"{clean_line(event.author.name)}'s"
    first = next((line for line in clean(event.text).splitlines() if line.strip()), "")
    return _note(f"{clean_line(event.by.name)} edited {whose} waiting prompt: {first}")


@draw.register
def _(event: events.TurnHeld, scene: Scene) -> Block:
    scene.status = "Waiting for others to finish"
    return _warning(f"Waiting: {clean_line(event.sentence)} {clean_line(event.remedy)}")


@draw.register
def _(event: events.TurnAdmitted, scene: Scene) -> Block:
    scene.status = "Preparing the sandbox"
    return _note(f"It begins, after {words.seconds(event.seconds)}.")


@draw.register
def _(event: events.TranscriptNearlyFull, scene: Scene) -> Block:
    of = f"{event.events:,} of {event.limit:,} events"
    return _warning(f"The transcript is nearly full: {of}. Then go on in a fork: outrider fork {scene.session}")


@draw.register
def _(event: events.SandboxRequested, scene: Scene) -> None:
    scene.status = "Preparing the sandbox"


@draw.register
def _(event: events.StageReported, scene: Scene) -> Block | None:
    if event.seconds is None and not event.failed:
        scene.status = clean_line(event.text)
        return None
    scene.status = "Working"
    icon, colour = ("✗", "red") if event.failed else ("✓", "green")
    took = f"  {words.seconds(event.seconds)}" if event.seconds is not None else ""
    return Block("stage", (beside(icon, Text(clean_line(event.text)).append(took, style="dim"), colour),))


@draw.register
def _(event: events.SandboxReady, scene: Scene) -> Block:
    scene.status = "Starting the engine"
    scene.synced = False
    means = f"{words.ISOLATION[event.isolation]}, {words.LIMITS[event.limit_tier]}"
    line = Text("Sandbox ready").append(f" ({means})  {words.seconds(event.seconds)}", style="dim")
    return Block("stage", (beside("✓", line, "green"),))


@draw.register
def _(event: events.ServiceChanged, scene: Scene) -> Block:
    port = "" if event.port is None else f" on port {event.port}"
    if event.state is ServiceStatus.FAILED:
        return _warning(clean_line(event.detail))
    return Block("stage", (beside("✓", Text(f"{event.name} is ready{port}", style="dim"), "green"),))


@draw.register
def _(event: events.PreviewsNamed, scene: Scene) -> Block | None:
    named = ", ".join(f"{preview.name} (port {preview.port})" for preview in event.previews)
    return _note(f"Previews: {named}") if named else None


@draw.register
def _(event: events.SyncFinished, scene: Scene) -> Block | None:
    scene.synced = True
    if not event.moved:
        return None
    line = Text(f"Synced to {event.commit[:8]}, {words.count(event.files_changed, 'file')} changed")
    return Block("stage", (beside("✓", line.append(f"  {words.seconds(event.seconds)}", style="dim"), "green"),))


@draw.register
def _(event: events.SyncFailed, scene: Scene) -> Block:
    return _problem(f"The workspace could not be synced: {clean_line(event.reason)}", clean_line(event.remedy))


@draw.register
def _(event: events.PromptHanded, scene: Scene) -> None:
    if not scene.synced:
        scene.status = "Reading while syncing"


@draw.register
def _(event: events.EngineTold, scene: Scene) -> Block:
    return _note("The agent was told that files had moved while it was reading.")


@draw.register
def _(event: events.SandboxLost, scene: Scene) -> Block:
    return _warning(f"The sandbox went away: {clean_line(event.reason)} Its files are kept.")


@draw.register
def _(event: events.StopFailed, scene: Scene) -> Block:
    return _note("The turn did not end by itself. Its sandbox is being stopped.")


@draw.register
def _(event: events.TurnStarted, scene: Scene) -> None:
    scene.status = "Starting the engine"
    scene.spent_before = len(scene.spent)


@draw.register
def _(event: events.EngineAttached, scene: Scene) -> None:
    scene.status = "Thinking"


@draw.register
def _(event: events.ToolCallChanged, scene: Scene) -> Block | None:
    return tool_calls.change(event.update, scene)


@draw.register
def _(event: events.PlanChanged, scene: Scene) -> None:
    now = next((entry.text for entry in event.entries if entry.status == "in_progress"), "")
    scene.status = clean_line(now) or scene.status


@draw.register
def _(event: events.ToolLogKept, scene: Scene) -> Block:
    part = "all of it" if event.whole else "its beginning and its end"
    where = scene.link(f"/api/sessions/{scene.session}/artifacts/{event.artifact}")
    return _note(f"It printed {event.bytes:,} bytes; {part} is kept: {where}")


@draw.register
def _(event: events.PermissionDecided, scene: Scene) -> Block | None:
    return None if event.allowed else _warning(f"Not allowed: {clean_line(event.ask.title)}")


@draw.register
def _(event: events.UsageRecorded, scene: Scene) -> None:
    scene.spent.append(event.usage)


@draw.register
def _(event: events.StopRequested, scene: Scene) -> Block:
    scene.status = "Stopping"
    return _note(f"{clean_line(event.by.name)} asked to stop.")


@draw.register
def _(event: events.EngineFinished, scene: Scene) -> None:
    scene.status = "Collecting the commits"


@draw.register
def _(event: events.WorkCollected, scene: Scene) -> Block | None:
    scene.status = ""
    if not event.commits or event.head == scene.shown_head:
        return None
    scene.shown_head = event.head
    lines = [_commit(commit) for commit in event.commits]
    left = " What was not committed was committed at the end." if event.leftovers_committed else ""
    return Block("commits", (*lines, beside("", Text(_size(event) + left, style="dim"))))


@draw.register
def _(event: events.ProofRequested, scene: Scene) -> None:
    scene.status = "Preparing clean sandboxes for the checks"


@draw.register
def _(event: events.CheckStarted, scene: Scene) -> None:
    scene.status = f"Checking {words.PHASE[event.phase]}: {clean_line(event.command)}"


@draw.register
def _(event: events.CheckFinished, scene: Scene) -> Block:
    line = check_line(event.result, narrow=scene.width < NARROW)
    red = event.result.verdict is not CheckVerdict.PASSED
    tail = tool_calls.output_tail(event.result.tail) if red else ()
    return Block("check", (beside(clean_line(event.result.name), line, "bold"), *tail))


@draw.register
def _(event: events.ProofFinished, scene: Scene) -> Block:
    scene.status = ""
    return Block("evidence", (card(event.proof, scene),))


@draw.register
def _(event: events.EngineReprompted, scene: Scene) -> Block:
    scene.status = "Thinking"
    return _warning(f"The checks are red; the engine was told so (round {event.round}).")


@draw.register
def _(event: events.PublishRequested, scene: Scene) -> None:
    scene.status = "Opening the pull request"


@draw.register
def _(event: events.PullRequestOpened, scene: Scene) -> Block:
    pull = event.pull_request
    scene.status = ""
    title = Text(f"Pull request #{pull.number} ", style="bold").append(clean_line(pull.title), style="not bold")
    link = Text(scene.link(clean_line(pull.url)), style="underline", overflow="fold")
    return Block("pull request", (beside("⇄", title, "green", indent=0), beside("", link)))


@draw.register
def _(event: events.PublishFailed, scene: Scene) -> Block:
    return _problem(clean_line(event.reason), "Nothing is lost: the work is in the workspace.")


@draw.register
def _(event: events.PullRequestChanged, scene: Scene) -> Block:
    return _note(f"{clean_line(event.by.name)}: pull request #{event.number} is {words.PULL_REQUEST[event.state]}.")


@draw.register
def _(event: events.TurnInterrupted, scene: Scene) -> Block:
    scene.status = "Going on with what was interrupted"
    then = "" if event.final else " It goes on by itself."
    return _warning(f"Interrupted: {clean_line(event.reason)}{then}")


@draw.register
def _(event: events.TurnEnded, scene: Scene) -> Block:
    scene.status = ""
    icon, style = {
        events.TurnEndReason.COMPLETED: ("✓", "bold green"),
        events.TurnEndReason.STOPPED: ("■", "bold yellow"),
        events.TurnEndReason.FAILED: ("✗", "bold red"),
    }[event.reason]
    line = Text(words.TURN_END[event.reason], style=style)
    line.append(f"  {clean_line(event.message)}", style="not bold default")
    rest = [_uncommitted(event.kept)] if event.kept and event.kept.files else []
    spent = _spent(scene)
    rest += [spent] if spent else []
    return Block("end", (beside(icon, line, style, indent=0), *(beside("", Text(text, style="dim")) for text in rest)))


@draw.register
def _(event: events.ProblemReported, scene: Scene) -> Block:
    return _problem(clean_line(event.sentence), clean_line(event.remedy))


@draw.register
def _(event: events.EgressRefused, scene: Scene) -> Block:
    allow = f" Allow it: outrider egress allow {event.rule} --session {scene.session}" if event.allowable else ""
    return _warning(clean_line(f"The sandbox was refused {event.host}:{event.port}: {event.why}.{allow}"))


@draw.register
def _(event: events.HostAllowed, scene: Scene) -> Block:
    return _note(f"{clean_line(event.by.name)} allowed {clean_line(event.host)} to this {event.scope}.")


@draw.register
def _(event: events.HostForbidden, scene: Scene) -> Block:
    return _note(f"{clean_line(event.by.name)} took {clean_line(event.host)} back from this {event.scope}.")


for _kind in draw_snapshots.NOTES:
    draw.register(_kind, lambda event, scene: _note(draw_snapshots.note(event)))
for _member in draw_members.NOTES:
    draw.register(_member, lambda event, scene: _note(draw_members.note(event)))
for _whole in draw_history.NOTES:
    draw.register(_whole, lambda event, scene: _note(draw_history.note(event)))
for _torn in draw_history.SALVAGED:
    draw.register(_torn, lambda event, scene: _warning(draw_history.salvaged(event)))
for _loss in draw_snapshots.WARNINGS:
    draw.register(_loss, lambda event, scene: _said(draw_snapshots.warning(event)))
for _relative in draw_children.NOTES:
    draw.register(_relative, lambda event, scene: _note(draw_children.note(event)))
for _refused in draw_children.WARNINGS:
    draw.register(_refused, lambda event, scene: _warning(draw_children.warning(event)))


def _note(sentence: str) -> Block:
    return Block("note", (beside("", Text(sentence, style="dim")),))


def _said(sentence: str) -> Block | None:
    return _warning(sentence) if sentence else None


def _warning(sentence: str) -> Block:
    return Block("note", (beside("!", Text(sentence, style="yellow"), "yellow", indent=0),))


def _problem(sentence: str, remedy: str) -> Block:
    rest = (beside("", remedy),) if remedy else ()
    return Block("problem", (beside("✗", Text(sentence, style="red"), "red", indent=0), *rest))


def _commit(commit: Commit) -> RenderableType:
    subject = Text(clean_line(commit.subject))
    author = f"  {clean_line(commit.author.name)} <{clean_line(commit.author.email)}>"
    return beside(commit.sha[:8], subject.append(author, style="dim"), "yellow")


def _size(event: events.WorkCollected) -> str:
    added = sum(file.added or 0 for file in event.files)
    deleted = sum(file.deleted or 0 for file in event.files)
    commits, files = words.count(len(event.commits), "commit"), words.count(len(event.files), "file")
    return f"{commits}, {files}, +{added} -{deleted}"


def _uncommitted(kept: events.KeptWork) -> str:
    more = kept.uncommitted - len(kept.files)
    names = [clean_line(name) for name in kept.files] + ([f"and {more} more"] if more > 0 else [])
    return f"Not committed: {', '.join(names)}"


def _spent(scene: Scene) -> str:
    """Tokens and money of the turn, and of the session where it had others."""
    turn = _sum(scene, scene.spent[scene.spent_before :])
    return f"{turn}; session: {_sum(scene, scene.spent)}" if turn and scene.spent_before else turn


def _sum(scene: Scene, spent: list[Usage]) -> str:
    """A price that is not known is said, never taken for nothing."""
    if not spent:
        return ""
    tokens = sum(usage.input_tokens + usage.output_tokens for usage in spent)
    costs = [usage.cost_usd for usage in spent]
    if scene.model and scene.model.is_rehearsal:
        money = "no cost: rehearsal"
    elif any(cost is None for cost in costs):
        money = "price not known"
    else:
        money = f"${sum(cost or 0 for cost in costs):.2f}"
    return f"{words.count(len(costs), 'model call')}, {tokens:,} tokens, {money}"
