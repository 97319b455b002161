"""What must hold after any schedule. Pure: from the log, what people saw and were promised, the engine's receipts.

The order of prompts is held against a queue of our own, which knows nothing of the product's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.faults.people import Accepted, Watcher

Event = dict[str, Any]


def broken(log: Sequence[Event], watchers: Iterable[Watcher], receipts: Sequence[str]) -> list[str]:
    """Every invariant of one session that does not hold, in words."""
    watchers = list(watchers)
    accepted = [one for watcher in watchers for one in watcher.accepted]
    return [
        *_numbers(log),
        *_shown_is_stored(log, watchers),
        *_prompts_are_kept(log, accepted),
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


def _order(log: Sequence[Event]) -> list[str]:
    """Every turn answers the prompt that stood first; none is answered twice."""
    queue: list[str] = []
    found = []
    for recorded in log:
        event = recorded["event"]
        match event["type"]:
            case "prompt_queued":
                queue.append(event["prompt"]["id"])
            case "prompt_withdrawn":
                queue.remove(event["prompt"])
            case "prompt_moved":
                queue.remove(event["prompt"])
                queue.insert(event["position"], event["prompt"])
            case "turn_started":
                if not queue or queue[0] != event["prompt"]:
                    found.append(f"event {recorded['seq']}: {event['prompt']} is answered before its turn")
                queue = [prompt for prompt in queue if prompt != event["prompt"]]
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


def _given_once(log: Sequence[Event], receipts: Sequence[str]) -> list[str]:
    """The engine has each prompt at most once for each time that the log says it was handed over."""
    texts = {
        event["event"]["prompt"]["id"]: event["event"]["prompt"]["text"]
        for event in log
        if event["event"]["type"] == "prompt_queued"
    }
    turns = {
        event["event"]["turn"]: texts[event["event"]["prompt"]]
        for event in log
        if event["event"]["type"] == "turn_started"
    }
    handed = Counter(turns[event["event"]["turn"]] for event in log if event["event"]["type"] == "prompt_handed")
    found = []
    for text in texts.values():
        got = sum(1 for receipt in receipts if receipt.endswith(text))
        if got > handed[text]:
            found.append(f"{text!r} was given to the engine {got} times and handed over {handed[text]} times")
    return found
