"""What becomes of a branch when its source has moved."""

import pytest

from outrider.integrations.builtin.branches import Fate, decide
from outrider.model.ids import CommitId

A, B, C = (CommitId(letter * 40) for letter in "abc")


@pytest.mark.parametrize(
    ("ours", "before", "after", "fate"),
    [
        (None, None, A, Fate.TAKE),
        (A, A, A, Fate.KEEP),
        (A, A, B, Fate.TAKE),
        (A, A, None, Fate.DROP),
        (B, A, A, Fate.ASK_HISTORY),
        (B, A, C, Fate.ASK_HISTORY),
        (B, A, B, Fate.KEEP),
        (B, A, None, Fate.KEEP),
        (None, A, None, Fate.KEEP),
        (B, None, A, Fate.ASK_HISTORY),
    ],
    ids=[
        "new", "unmoved", "moved-or-rewritten", "deleted", "merged-here", "merged-here-and-moved", "pulled-from-here",
        "merged-here-and-deleted", "gone-on-both-sides", "ours-alone-until-now",
    ],
)  # fmt: skip
def test_the_fate_of_a_branch(ours: CommitId | None, before: CommitId | None, after: CommitId | None, fate: Fate):
    assert decide(ours, before, after) is fate
