"""What a deployment lets people do, in numbers. Each is a setting; every refusal names it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import Field

from outrider.model.base import Model

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt that can be stored, in UTF-8 bytes. A longer text belongs in a file."""


@dataclass(frozen=True, slots=True)
class PromptLimits:
    """Of one prompt."""

    prompt_bytes: int = MAX_PROMPT_BYTES
    attachments: int = 10
    attachment_bytes: int = 20 << 20


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Of one session: how long its queue and its transcript may get, and whose prompts go first."""

    queue: int = 100
    """Prompts that wait. More is a program gone wild, not a person."""
    person_queue: int | None = None
    """Of one person."""
    transcript_events: int = 50_000
    """A session that has more takes no more prompts, and is forked to go on."""
    owners_first: bool = False
    """Whether an owner's prompt goes before those of others; else the first that came is the first."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Within an hour."""

    sessions: int | None = None
    person_sessions: int | None = None
    person_uploads: int | None = 200


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """Sessions at work at once. One more is not refused: its turn waits."""

    sessions: int | None = None
    person_sessions: int | None = None


@dataclass(frozen=True, slots=True)
class HouseLimits:
    """All of them."""

    prompt: PromptLimits = field(default_factory=PromptLimits)
    queue: QueueRules = field(default_factory=QueueRules)
    rates: RateLimits = field(default_factory=RateLimits)
    work: WorkLimits = field(default_factory=WorkLimits)


class LimitUse(Model):
    """A limit and how much of it is used now, by who asks or by everybody."""

    setting: str = Field(description="The variable that sets it")
    what: str
    per: Literal["deployment", "person", "tree", "session", "prompt", "sandbox"]
    value: int | float | None = Field(description="None: there is no such limit")
    unit: Literal["count", "bytes", "seconds", "dollars"] = "count"
    used: int | None = Field(default=None, description="None where it is not counted")
    until: datetime | None = Field(default=None, description="When a full rate has room again")


def raised_by(setting: str) -> str:
    """Who can raise a limit, for the end of a refusal."""
    return f"Who runs this deployment can raise {setting}."
