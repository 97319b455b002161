"""The words that people read for the states of things. The page uses the same."""

from outrider.model.engine import ToolKind
from outrider.model.events import TurnEndReason
from outrider.model.proof import CheckVerdict, Phase, ProofVerdict
from outrider.model.repository import PullRequestState
from outrider.model.sandbox import Isolation, LimitTier

VERB = {
    ToolKind.READ: "Read",
    ToolKind.EDIT: "Edit",
    ToolKind.DELETE: "Delete",
    ToolKind.MOVE: "Move",
    ToolKind.SEARCH: "Search",
    ToolKind.EXECUTE: "Run",
    ToolKind.THINK: "Think",
    ToolKind.FETCH: "Fetch",
    ToolKind.SWITCH_MODE: "Switch",
    ToolKind.OTHER: "Use",
}

VERDICT = {
    ProofVerdict.FIX_PROVED: "Fix proved",
    ProofVerdict.FIX_PROVED_WEAKLY: "Fix proved weakly",
    ProofVerdict.STILL_GREEN: "Checks pass",
    ProofVerdict.RED: "Checks fail",
    ProofVerdict.NOT_RUN: "Not checked",
}

PHASE = {Phase.BASE: "base", Phase.BEFORE: "before", Phase.AFTER: "after"}

CHECK = {
    CheckVerdict.PASSED: "green",
    CheckVerdict.FAILED: "red",
    CheckVerdict.TIMED_OUT: "timed out",
    CheckVerdict.SETUP_FAILED: "set-up failed",
    CheckVerdict.STOPPED: "stopped",
}

TURN_END = {
    TurnEndReason.COMPLETED: "Done",
    TurnEndReason.STOPPED: "Stopped",
    TurnEndReason.FAILED: "Failed",
}

NO_SUCCESS = {
    "checks_red": "This counts as failed: on the result a check is red.",
    "checks_not_run": "This counts as failed: the checks could not be run, so nothing is proved.",
    "setup_failed": "This counts as failed: there are no checks, and the set-up fails on the result.",
}
"""What is said of a turn that ran to its end and is no success all the same, by the result's reason."""

PULL_REQUEST = {
    PullRequestState.OPEN: "open",
    PullRequestState.MERGED: "merged",
    PullRequestState.CLOSED: "closed",
}

ISOLATION = {
    Isolation.VM: "virtual machine",
    Isolation.USER_KERNEL: "kernel of its own in user space",
    Isolation.SHARED_KERNEL: "shared kernel",
}

LIMITS = {
    LimitTier.CGROUP: "limits by control groups",
    LimitTier.WATCHDOG: "limits by rlimits and a watchdog",
}

REHEARSAL = "Rehearsal: a script answers, no model is asked."


def seconds(value: float) -> str:
    """A duration in few characters."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 test`, `2 tests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(value: float) -> str:
    """A duration that somebody chose: `6 h`, `1 min 30 s`."""
    minutes, rest = divmod(value, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{part:g} {unit}" for part, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if part]
    return " ".join(parts) or "0 s"


def amount(value: float, unit: str) -> str:
    """A limit in its unit: `4 GB`, `6 h`, `$12.5`, `1,024`. Bytes in powers of 1,024, as settings are chosen."""
    if unit == "seconds":
        return span(value)
    if unit == "bytes":
        step = next((step for step in (3, 2, 1) if value >= 1024**step), 0)
        return f"{value / 1024**step:.4g} {('B', 'kB', 'MB', 'GB')[step]}"
    return f"{'$' if unit == 'dollars' else ''}{value:,}"


def size(number: int) -> str:
    """Bytes in a unit that reads well."""
    for unit, least in (("MB", 1_000_000), ("kB", 1000)):
        if number >= least:
            return f"{number / least:.1f} {unit}"
    return count(number, "byte")
