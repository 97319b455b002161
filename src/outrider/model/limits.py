"""What people may send to a session."""

from dataclasses import dataclass

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt that can be stored, in UTF-8 bytes. A longer text belongs in a file."""


@dataclass(frozen=True, slots=True)
class PromptLimits:
    """Of one prompt."""

    prompt_bytes: int = MAX_PROMPT_BYTES
    attachments: int = 10
    attachment_bytes: int = 20 << 20


def raised_by(setting: str) -> str:
    """Who can raise a limit, for the end of a refusal."""
    return f"Who runs this deployment can raise {setting}."
