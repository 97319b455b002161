"""Who watches and who types: one frame for many changes, one face for many windows."""

import asyncio
import json
from collections.abc import AsyncIterator

from outrider.model.person import Person
from outrider.session.feed import Hub
from outrider.session.presence import Presence, Watcher
from outrider.testing.playbook import ADA, BOB


async def next_presence(frames: AsyncIterator[bytes]) -> dict[str, object]:
    async for raw in frames:
        frame: dict[str, object] = json.loads(raw)
        if frame["kind"] == "presence":
            return frame
    raise AssertionError("the feed ended")


def names(frame: dict) -> list[str]:
    return [one["person"]["name"] for one in frame["people"]]


async def test_who_comes_is_shown_to_all_and_who_goes_is_gone() -> None:
    hub = Hub(0.0)
    first = hub.attach([], 0, Watcher(ADA)).frames()
    assert names(await next_presence(first)) == ["Ada"]
    second = hub.attach([], 0, Watcher(BOB, "terminal"))
    told = await next_presence(first)
    assert (names(told), told["count"], told["typing"]) == (["Ada", "Bob"], 2, 0)
    assert told["people"][1]["clients"] == ["terminal"]
    hub.detach(second)
    assert names(await next_presence(first)) == ["Ada"]
    hub.close()


async def test_windows_of_one_person_are_one_until_the_last_closes() -> None:
    presence = Presence(lambda frame: None)
    one, two = Watcher(ADA, "browser"), Watcher(ADA, "terminal")
    for watcher in (one, two, Watcher(BOB)):
        presence.arrive(watcher)
    shown = presence.frame(0.0)
    assert (shown.count, shown.people[0].clients) == (2, ("browser", "terminal"))
    presence.leave(one)
    assert presence.frame(0.0).people[1].person == ADA or presence.frame(0.0).people[0].person == ADA
    presence.leave(two)
    assert [person.person for person in presence.frame(0.0).people] == [BOB]
    presence.close()


async def test_a_guest_with_somebodys_address_is_another_face() -> None:
    presence = Presence(lambda frame: None)
    presence.arrive(Watcher(ADA))
    presence.arrive(Watcher(ADA, guest=True))
    assert [one.guest for one in presence.frame(0.0).people] == [False, True]
    presence.close()


async def test_who_types_comes_first_and_stops_by_silence() -> None:
    presence = Presence(lambda frame: None)
    presence.arrive(Watcher(ADA))
    bob = Watcher(BOB)
    presence.arrive(bob)
    presence.types(bob, typing=True)
    now = asyncio.get_running_loop().time()
    assert names(presence.frame(now).model_dump()) == ["Bob", "Ada"]
    assert presence.frame(now).typing == 1
    assert presence.frame(now + 60).typing == 0
    presence.types(bob, typing=False)
    assert presence.frame(now).typing == 0
    presence.close()


async def test_a_thousand_are_a_few_faces_and_a_number_and_few_frames() -> None:
    sent: list[bytes] = []
    presence = Presence(sent.append)
    for number in range(1000):
        presence.arrive(Watcher(Person(name=f"N{number}", email=f"n{number}@example.org")))
    shown = presence.frame(0.0)
    assert (shown.count, len(shown.people)) == (1000, 12)
    assert len(sent) == 1, "what comes at once is told at once, the rest together"
    assert all(len(frame) < 4096 for frame in sent)
    presence.close()
