"""What people may do here, from the settings, and how much of it is used."""

from outrider.model.limits import HouseLimits, LimitUse
from outrider.model.person import Person
from outrider.session.quotas import Quotas
from outrider.session.turn_slots import TurnSlots


async def report(limits: HouseLimits, quotas: Quotas, turns: TurnSlots, person: Person) -> tuple[LimitUse, ...]:
    """Every limit, with what this person and all use now."""
    return (*turns.report(person), *await quotas.report(person), *_of_sessions(limits), *_of_prompts(limits))


def _of_sessions(limits: HouseLimits) -> tuple[LimitUse, ...]:
    queue = limits.queue
    return (
        LimitUse(setting="OUTRIDER_LIMIT_QUEUE", what="prompts that wait", per="session", value=queue.queue),
        LimitUse(
            setting="OUTRIDER_LIMIT_PERSON_QUEUE",
            what="prompts of one person that wait in a session",
            per="person",
            value=queue.person_queue,
        ),
        LimitUse(
            setting="OUTRIDER_LIMIT_TRANSCRIPT_EVENTS",
            what="events of a transcript",
            per="session",
            value=queue.transcript_events,
        ),
    )


def _of_prompts(limits: HouseLimits) -> tuple[LimitUse, ...]:
    prompt = limits.prompt
    values = {
        "OUTRIDER_LIMIT_PROMPT_BYTES": ("bytes of a prompt", prompt.prompt_bytes),
        "OUTRIDER_LIMIT_ATTACHMENTS": ("files of a prompt", prompt.attachments),
        "OUTRIDER_LIMIT_ATTACHMENT_BYTES": ("bytes of a file", prompt.attachment_bytes),
    }
    return tuple(LimitUse(setting=name, what=what, per="prompt", value=value) for name, (what, value) in values.items())
