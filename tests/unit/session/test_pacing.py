"""What writes behind the sessions leaves the processor to them."""

import pytest

from outrider.session.pacing import LONGEST_REST_SECONDS, rest_seconds


@pytest.mark.parametrize(
    ("took", "rests"),
    [(0.0, 0.1), (0.01, 0.1), (0.1, 0.9), (0.5, 4.5), (60.0, LONGEST_REST_SECONDS)],
)
def test_it_rests_nine_times_as_long_as_it_worked_within_bounds(took: float, rests: float) -> None:
    assert rest_seconds(0.1, took) == pytest.approx(rests)
