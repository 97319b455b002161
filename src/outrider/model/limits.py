"""What a deployment lets people do, in numbers. Each is a setting; every refusal names it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import Field

from outrider.model.base import Model
from outrider.model.errors import LimitReached, QuotaReached, TooManyAttempts

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
    prompt: PromptLimits = field(default_factory=PromptLimits)
    """Of each prompt, by whatever way it comes."""


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

    queue: QueueRules = field(default_factory=QueueRules)
    rates: RateLimits = field(default_factory=RateLimits)
    work: WorkLimits = field(default_factory=WorkLimits)

    @property
    def prompt(self) -> PromptLimits:
        """Those of one prompt."""
        return self.queue.prompt


Per = Literal["deployment", "person", "tree", "session", "prompt", "sandbox"]
"""What a limit is of."""

Unit = Literal["count", "bytes", "seconds", "dollars"]


class LimitUse(Model):
    """A limit and how much of it is used now, by who asks or by everybody."""

    setting: str = Field(description="The variable that sets it")
    what: str
    per: Per
    value: int | float | None = Field(description="None: there is no such limit")
    unit: Unit = "count"
    used: int | None = Field(default=None, description="None where it is not counted")
    until: datetime | None = Field(default=None, description="When a full rate has room again")


FIXED = ""
"""The setting of a limit that is the same everywhere."""


def raised_by(setting: str, how: str = "raise") -> str:
    """Who can raise a limit, for the end of a refusal."""
    return f"Who runs this deployment can {how} {setting}." if setting else f"No setting can {how} this limit."


def limit_reached(sentence: str, instead: str, setting: str, how: str = "raise") -> LimitReached:
    """The one form of a limit's refusal: `sentence` says which limit and its value, `instead` what can be done without
    another one; then comes who can change it."""
    return LimitReached(sentence, f"{instead} {raised_by(setting, how)}".lstrip())


def quota_reached(sentence: str, instead: str, setting: str, retry_after: float | None = None) -> QuotaReached:
    """The same of a limit on how many or how often."""
    return QuotaReached(sentence, f"{instead} {raised_by(setting)}", retry_after=retry_after)


def too_many_attempts(sentence: str, instead: str) -> TooManyAttempts:
    """The same of a guard against guessing, which no setting moves."""
    return TooManyAttempts(sentence, f"{instead} {raised_by(FIXED)}")
