"""What is in force here, from the settings, and how much of it is used."""

from outrider.model.limits import HouseLimits, LimitUse, Per, Unit
from outrider.model.person import Person
from outrider.session.quotas import Quotas
from outrider.session.turn_slots import TurnSlots
from outrider.settings import Settings

Uses = tuple[LimitUse, ...]
Row = tuple[str, str, int | float | None, Unit]
"""A limit: its setting, what it is of, its value and unit."""


async def report(house: HouseLimits, machine: Uses, quotas: Quotas, turns: TurnSlots, person: Person) -> Uses:
    """Every limit, with what this person and all use now."""
    used = (*turns.report(person), *await quotas.report(person))
    return (*used, *_of_queues(house), *_of_prompts(house), *machine)


def of_machine(settings: Settings) -> Uses:
    """What one sandbox, one session and those below it may use, and how much of the machine all together."""
    return (*_of_sessions(settings), *_of_trees(settings), *_of_sandboxes(settings), *_of_all(settings))


def _uses(per: Per, *rows: Row) -> Uses:
    return tuple(LimitUse(setting=name, what=what, per=per, value=value, unit=unit) for name, what, value, unit in rows)


def _of_queues(house: HouseLimits) -> Uses:
    rules = house.queue
    return (
        *_uses("session", ("OUTRIDER_LIMIT_QUEUE", "prompts that wait", rules.queue, "count")),
        *_uses(
            "person",
            (
                "OUTRIDER_LIMIT_PERSON_QUEUE",
                "prompts of one person that wait in a session",
                rules.person_queue,
                "count",
            ),
        ),
        *_uses(
            "session", ("OUTRIDER_LIMIT_TRANSCRIPT_EVENTS", "events of a transcript", rules.transcript_events, "count")
        ),
    )


def _of_sessions(settings: Settings) -> Uses:
    return _uses(
        "session",
        ("OUTRIDER_SNAPSHOTS_KEPT", "turns that can be gone back to", settings.snapshots_kept, "count"),
        ("OUTRIDER_IDLE_SECONDS", "time without a turn until it sleeps", settings.idle_seconds, "seconds"),
    )


def _of_prompts(house: HouseLimits) -> Uses:
    prompt = house.prompt
    return _uses(
        "prompt",
        ("OUTRIDER_LIMIT_PROMPT_BYTES", "text", prompt.prompt_bytes, "bytes"),
        ("OUTRIDER_LIMIT_ATTACHMENTS", "files", prompt.attachments, "count"),
        ("OUTRIDER_LIMIT_ATTACHMENT_BYTES", "each file", prompt.attachment_bytes, "bytes"),
    )


def _of_trees(settings: Settings) -> Uses:
    return _uses(
        "tree",
        ("OUTRIDER_CHILD_DEPTH", "levels of sessions below the first", settings.child_depth, "count"),
        ("OUTRIDER_CHILDREN", "sessions that one session starts", settings.children, "count"),
        ("OUTRIDER_TREE_SESSIONS", "sessions below the first, in all", settings.tree_sessions, "count"),
        ("OUTRIDER_BUDGET_USD", "cost", settings.budget_usd, "dollars"),
        ("OUTRIDER_BUDGET_TOKENS", "tokens", settings.budget_tokens, "count"),
    )


def _of_sandboxes(settings: Settings) -> Uses:
    one = settings.limits
    return _uses(
        "sandbox",
        ("OUTRIDER_SANDBOX_CPUS", "CPUs", one.cpus, "count"),
        ("OUTRIDER_SANDBOX_MEMORY_BYTES", "memory", one.memory_bytes, "bytes"),
        ("OUTRIDER_SANDBOX_DISK_BYTES", "disk", one.disk_bytes, "bytes"),
        ("OUTRIDER_SANDBOX_PROCESSES", "processes and threads", one.processes, "count"),
        ("OUTRIDER_SANDBOX_SECONDS", "time at a stretch", one.wall_seconds, "seconds"),
    )


def _of_all(settings: Settings) -> Uses:
    totals, of = settings.totals, "of all sandboxes of sessions"
    return _uses(
        "deployment",
        ("OUTRIDER_MAX_SANDBOXES", "sandboxes of sessions at once", settings.max_sandboxes, "count"),
        ("OUTRIDER_TOTAL_CPUS", f"CPUs {of}", totals.cpus, "count"),
        ("OUTRIDER_TOTAL_MEMORY_BYTES", f"memory {of}", totals.memory_bytes, "bytes"),
        ("OUTRIDER_TOTAL_DISK_BYTES", f"disk {of}", totals.disk_bytes, "bytes"),
        ("OUTRIDER_FREE_DISK_BYTES", "free disk below which no sandbox starts", settings.free_disk_bytes, "bytes"),
        (
            "OUTRIDER_FREE_MEMORY_BYTES",
            "free memory below which no sandbox starts",
            settings.free_memory_bytes,
            "bytes",
        ),
    )
