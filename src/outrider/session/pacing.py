"""How long a task rests that writes behind the sessions: it must neither lag when there is little, nor take the
processor from the sessions when there is much."""

REST_TIMES = 9
"""It rests so many times as long as its last round took: all its rounds have at most a tenth of one processor."""

LONGEST_REST_SECONDS = 5.0
"""But never longer, as after a first round that reads every session."""


def rest_seconds(least: float, took: float) -> float:
    """Seconds of rest after a round that took so many."""
    return max(least, min(REST_TIMES * took, LONGEST_REST_SECONDS))
