"""Output kept up to a limit."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.sandboxes.output import BoundedOutput


@given(st.lists(st.binary(max_size=40)), st.integers(min_value=0, max_value=120))
def test_the_ends_are_kept_and_nothing_is_claimed_falsely(pieces: list[bytes], limit: int) -> None:
    output = BoundedOutput(limit)
    for piece in pieces:
        output.add(piece)
    whole, kept = b"".join(pieces), output.bytes()
    if len(whole) <= limit:
        assert (kept, output.truncated) == (whole, False)
    else:
        assert (len(kept), output.truncated) == (limit, True)
        assert whole.startswith(kept[: limit // 2])
        assert whole.endswith(kept[limit // 2 :])
