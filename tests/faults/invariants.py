"""What must hold after any schedule. Pure: from the log, what people saw and were promised, the engine's receipts.

The order of prompts is held against a queue of our own, which knows nothing of the product's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.faults.people import Accepted, Done, Watcher

Event = dict[str, Any]

FIRST_EVENTS = {
    "stop": {"stop_requested"},
    "steer": {"prompt_moved", "stop_requested"},
    "move": {"prompt_moved"},
    "edit": {"prompt_edited"},
    "withdraw": {"prompt_withdrawn"},
}
"""With what a deed may begin. What was asked under a key has that first: `key_used`."""


def broken(log: Sequence[Event], watchers: Iterable[Watcher], receipts: Sequence[str]) -> list[str]:
    """Every invariant of one session that does not hold, in words."""
    watchers = list(watchers)
    accepted = [one for watcher in watchers for one in watcher.accepted]
    done = [one for watcher in watchers for one in watcher.done]
    return [
        *_numbers(log),
        *_shown_is_stored(log, watchers),
        *_prompts_are_kept(log, accepted),
        *_deeds_are_kept(log, done),
        *_order(log),
        *_turns_end(log),
        *_given_once(log, receipts),
    ]


def _numbers(log: Sequence[Event]) -> list[str]:
    numbers = [event["seq"] for event in log]
    return [] if numbers == list(range(1, len(log) + 1)) else [f"the log's numbers have gaps: {numbers}"]


def _shown_is_stored(log: Sequence[Event], watchers: Iterable[Watcher]) -> list[str]:
    found = []
    for watcher in watchers:
        found += [f"{watcher.name}: {fault}" for fault in watcher.seen.faults]
        for event in watcher.seen.events:
            if event["seq"] > len(log) or log[event["seq"] - 1] != event:
                found.append(f"{watcher.name} was shown event {event['seq']}, and it is not stored so")
    return found


def _prompts_are_kept(log: Sequence[Event], accepted: Sequence[Accepted]) -> list[str]:
    queued = [event["event"]["prompt"] for event in log if event["event"]["type"] == "prompt_queued"]
    by_text = Counter(prompt["text"] for prompt in queued)
    found = [f"{text!r} was queued {count} times" for text, count in by_text.items() if count > 1]
    authors = {prompt["text"]: prompt["author"]["person"]["name"] for prompt in queued}
    for one in accepted:
        if one.text not in authors:
            found.append(f"{one.text!r} was promised and is lost")
        elif authors[one.text] != one.by:
            found.append(f"{one.text!r} is {one.by}'s and stands under {authors[one.text]}")
    return found


def _deeds_are_kept(log: Sequence[Event], done: Sequence[Done]) -> list[str]:
    """What the server said it has done stands at the number that it named, under the name of who asked. Behind the key
    stands what it brought about, where it brought about anything."""
    return [
        f"the {one.deed} of {one.by} is said to be event {one.seq}, and is not"
        for one in done
        if one.seq and not any(_is(event["event"], one) for event in log[one.seq - 1 : one.seq + 1])
    ]


def _is(event: Event, one: Done) -> bool:
    if event["type"] == "key_used":
        return bool(event["by"]["name"] == one.by)
    text_fits = not one.text or event.get("text") == one.text
    return event["type"] in FIRST_EVENTS[one.deed] and event["by"]["name"] == one.by and text_fits


def _order(log: Sequence[Event]) -> list[str]:
    """Every turn answers the prompt that stood first; none is answered twice."""
    queue: list[str] = []
    found = []
    for recorded in log:
        event = recorded["event"]
        kind, prompt = event["type"], event.get("prompt")
        if kind == "prompt_queued":
            queue.append(event["prompt"]["id"])
            continue
        if kind in ("prompt_withdrawn", "prompt_moved", "prompt_edited", "turn_started") and prompt not in queue:
            found.append(f"event {recorded['seq']}: {kind} of {prompt}, which does not wait")
            continue
        if kind == "turn_started" and queue[0] != prompt:
            found.append(f"event {recorded['seq']}: {prompt} is answered before its turn")
        if kind in ("prompt_withdrawn", "prompt_moved", "turn_started"):
            queue.remove(prompt)
        if kind == "prompt_moved":
            queue.insert(event["position"], prompt)
    return [*found, *(f"{prompt} still waits" for prompt in queue)]


def _turns_end(log: Sequence[Event]) -> list[str]:
    running: str | None = None
    found = []
    for recorded in log:
        event = recorded["event"]
        if event["type"] == "turn_started":
            if running:
                found.append(f"{event['turn']} began before {running} had ended")
            running = event["turn"]
        elif event["type"] == "turn_ended":
            if event["turn"] != running:
                found.append(f"{event['turn']} ended while {running} ran")
            if not event["reason"] or not event["message"]:
                found.append(f"{event['turn']} ended without a reason")
            running = None
    return [*found, *([f"{running} never ended"] if running else [])]


def texts_of(log: Iterable[Event]) -> Mapping[str, str]:
    """What each prompt says, as it was edited last."""
    texts: dict[str, str] = {}
    for recorded in log:
        event = recorded["event"]
        if event["type"] == "prompt_queued":
            texts[event["prompt"]["id"]] = event["prompt"]["text"]
        elif event["type"] == "prompt_edited":
            texts[event["prompt"]] = event["text"]
    return texts


def _given_once(log: Sequence[Event], receipts: Sequence[str]) -> list[str]:
    """The engine has each prompt, as it was edited last, at most once for each time that the log says it was handed
    over, and no text that was edited away."""
    texts = texts_of(log)
    turns = {
        event["event"]["turn"]: texts[event["event"]["prompt"]]
        for event in log
        if event["event"]["type"] == "turn_started" and event["event"]["prompt"] in texts
    }
    handed = Counter(turns.get(event["event"]["turn"]) for event in log if event["event"]["type"] == "prompt_handed")
    said = {event["event"]["prompt"]["text"] for event in log if event["event"]["type"] == "prompt_queued"}
    found = []
    for text in {*texts.values(), *said}:
        got = sum(1 for receipt in receipts if receipt.endswith(text))
        if got > handed[text]:
            found.append(f"{text!r} was given to the engine {got} times and handed over {handed[text]} times")
    return found


def children_made(parent: Sequence[Event], logs: Mapping[str, Sequence[Event]]) -> list[str]:
    """Every child that a log speaks of is there, once, with its own log that names its parent, and has come to rest."""
    spawned = Counter(one["event"]["child"] for one in parent if one["event"]["type"] == "child_spawned")
    rested = {one["event"]["child"] for one in parent if one["event"]["type"] == "child_ended"}
    own = parent[0]["event"]["session"]
    found = [f"{child} was made {count} times" for child, count in spawned.items() if count > 1]
    for child in spawned:
        created = logs[child][0]["event"] if child in logs else {}
        if (created.get("parent") or {}).get("session") != own:
            found.append(f"{child} is not there as a child of {own}")
        if child not in rested:
            found.append(f"{child} came to no rest that its parent knows of")
    return found
