"""Turns: how they end."""

from enum import StrEnum


class TurnEndReason(StrEnum):
    """Why a turn ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
