"""The live list: what changes, the newest of it, and no more than a client can hold."""

from dataclasses import replace

from outrider.model.ids import SessionId
from outrider.session.list_feed import ROWS_AT_ONCE, ListHub, Listing
from outrider.testing.index_contract import OTHER, SESSION, row


async def told(listing: Listing) -> list[tuple[str, str]]:
    """All that a client gets until the end."""
    return [(one.id, one.title) async for rows in listing.rows() for one in rows]


async def test_a_client_gets_the_newest_row_of_each_session_that_changed():
    hub = ListHub()
    hub.tell(row(SESSION, title="before the attach"))
    listing = hub.attach()
    hub.tell(row(SESSION, title="one"))
    hub.tell(row(OTHER, title="other"))
    hub.tell(row(SESSION, title="two"))
    hub.close()
    assert await told(listing) == [(SESSION, "two"), (OTHER, "other")]


async def test_frames_are_bounded():
    listing = Listing()
    for number in range(ROWS_AT_ONCE + 1):
        listing.put(replace(row(SESSION), id=SessionId(f"s-{number}")))
    listing.close()
    assert [len(rows) async for rows in listing.rows()] == [ROWS_AT_ONCE, 1]


async def test_a_client_that_never_reads_has_to_begin_again():
    listing = Listing(most_waiting=2)
    for number in range(5):
        listing.put(replace(row(SESSION), id=SessionId(f"s-{number}")))
    assert listing.missed
    listing.close()
    assert [rows async for rows in listing.rows() if len(rows) > 2] == []


async def test_a_client_that_left_is_told_nothing():
    hub = ListHub()
    listing = hub.attach()
    hub.detach(listing)
    hub.tell(row(SESSION))
    listing.close()
    assert await told(listing) == []
