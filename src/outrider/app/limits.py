"""What is in force here, from the settings, and how much of it is used."""

from outrider.model.limits import HouseLimits, LimitUse
from outrider.model.person import Person
from outrider.model.sandbox import Totals
from outrider.session.quotas import Quotas
from outrider.session.turn_slots import TurnSlots
from outrider.settings import Settings

Uses = tuple[LimitUse, ...]


async def report(house: HouseLimits, machine: Uses, quotas: Quotas, turns: TurnSlots, person: Person) -> Uses:
    """Every limit, with what this person and all use now."""
    used = (*turns.report(person), *await quotas.report(person))
    return (*used, *_of_queues(house), *_of_prompts(house), *machine)


def of_machine(settings: Settings) -> Uses:
    """What one sandbox, one session and those below it may use, and how much of the machine all together."""
    return (*_of_sessions(settings), *_of_trees(settings), *_of_sandboxes(settings), *_of_all(settings))


def _of_queues(house: HouseLimits) -> Uses:
    rules = house.queue
    return (
        LimitUse(setting="OUTRIDER_LIMIT_QUEUE", what="prompts that wait", per="session", value=rules.queue),
        LimitUse(
            setting="OUTRIDER_LIMIT_PERSON_QUEUE",
            what="prompts of one person that wait in a session",
            per="person",
            value=rules.person_queue,
        ),
        LimitUse(
            setting="OUTRIDER_LIMIT_TRANSCRIPT_EVENTS",
            what="events of a transcript",
            per="session",
            value=rules.transcript_events,
        ),
    )


def _of_sessions(settings: Settings) -> Uses:
    return (
        LimitUse(
            setting="OUTRIDER_SNAPSHOTS_KEPT",
            what="turns that can be gone back to",
            per="session",
            value=settings.snapshots_kept,
        ),
        LimitUse(
            setting="OUTRIDER_IDLE_SECONDS",
            what="time without a turn until it sleeps",
            per="session",
            value=settings.idle_seconds,
            unit="seconds",
        ),
    )


def _of_prompts(house: HouseLimits) -> Uses:
    prompt = house.prompt
    return (
        LimitUse(
            setting="OUTRIDER_LIMIT_PROMPT_BYTES", what="text", per="prompt", value=prompt.prompt_bytes, unit="bytes"
        ),
        LimitUse(setting="OUTRIDER_LIMIT_ATTACHMENTS", what="files", per="prompt", value=prompt.attachments),
        LimitUse(
            setting="OUTRIDER_LIMIT_ATTACHMENT_BYTES",
            what="each file",
            per="prompt",
            value=prompt.attachment_bytes,
            unit="bytes",
        ),
    )


def _of_trees(settings: Settings) -> Uses:
    return (
        LimitUse(
            setting="OUTRIDER_CHILD_DEPTH",
            what="levels of sessions below the first",
            per="tree",
            value=settings.child_depth,
        ),
        LimitUse(
            setting="OUTRIDER_CHILDREN", what="sessions that one session starts", per="tree", value=settings.children
        ),
        LimitUse(
            setting="OUTRIDER_TREE_SESSIONS",
            what="sessions below the first, in all",
            per="tree",
            value=settings.tree_sessions,
        ),
        LimitUse(setting="OUTRIDER_BUDGET_USD", what="cost", per="tree", value=settings.budget_usd, unit="dollars"),
        LimitUse(setting="OUTRIDER_BUDGET_TOKENS", what="tokens", per="tree", value=settings.budget_tokens),
    )


def _of_sandboxes(settings: Settings) -> Uses:
    one = settings.limits
    return (
        LimitUse(setting="OUTRIDER_SANDBOX_CPUS", what="CPUs", per="sandbox", value=one.cpus),
        LimitUse(
            setting="OUTRIDER_SANDBOX_MEMORY_BYTES", what="memory", per="sandbox", value=one.memory_bytes, unit="bytes"
        ),
        LimitUse(setting="OUTRIDER_SANDBOX_DISK_BYTES", what="disk", per="sandbox", value=one.disk_bytes, unit="bytes"),
        LimitUse(
            setting="OUTRIDER_SANDBOX_PROCESSES", what="processes and threads", per="sandbox", value=one.processes
        ),
        LimitUse(
            setting="OUTRIDER_SANDBOX_SECONDS",
            what="time at a stretch",
            per="sandbox",
            value=one.wall_seconds,
            unit="seconds",
        ),
    )


def _of_all(settings: Settings) -> Uses:
    return (
        LimitUse(
            setting="OUTRIDER_MAX_SANDBOXES",
            what="sandboxes of sessions at once",
            per="deployment",
            value=settings.max_sandboxes,
        ),
        *_of_totals(settings.totals),
        LimitUse(
            setting="OUTRIDER_FREE_DISK_BYTES",
            what="free disk below which no sandbox starts",
            per="deployment",
            value=settings.free_disk_bytes,
            unit="bytes",
        ),
        LimitUse(
            setting="OUTRIDER_FREE_MEMORY_BYTES",
            what="free memory below which no sandbox starts",
            per="deployment",
            value=settings.free_memory_bytes,
            unit="bytes",
        ),
    )


def _of_totals(totals: Totals) -> Uses:
    of = "of all sandboxes of sessions"
    return (
        LimitUse(setting="OUTRIDER_TOTAL_CPUS", what=f"CPUs {of}", per="deployment", value=totals.cpus),
        LimitUse(
            setting="OUTRIDER_TOTAL_MEMORY_BYTES",
            what=f"memory {of}",
            per="deployment",
            value=totals.memory_bytes,
            unit="bytes",
        ),
        LimitUse(
            setting="OUTRIDER_TOTAL_DISK_BYTES",
            what=f"disk {of}",
            per="deployment",
            value=totals.disk_bytes,
            unit="bytes",
        ),
    )
