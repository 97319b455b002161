"""Turns: how they end, and what they leave."""

from enum import StrEnum

from pydantic import Field

from outrider.model.base import Model
from outrider.model.repository import CommitHash

FILES_NAMED = 20
"""Uncommitted files that are named; more are counted."""


class TurnEndReason(StrEnum):
    """Why a turn ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


class KeptWork(Model):
    """What a turn that was stopped, or failed, left: nothing of it is lost."""

    head: CommitHash = Field(description="The newest commit of the workspace")
    commits: int = Field(default=0, ge=0, description="Commits of this turn")
    branch: str = Field(default="", max_length=300, description="Where the commits were pushed; empty: nowhere yet")
    uncommitted: int = Field(default=0, ge=0, description="Files of the workspace that are not committed, as it says")
    files: tuple[str, ...] = Field(default=(), max_length=FILES_NAMED, description="Some of them by name")
