"""What must hold after any schedule. Pure: from the log, what people saw and were promised, the engine's receipts.

The order of prompts is held against a queue of our own, which knows nothing of the product's.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Receipt:
    """The engine was given a prompt. What it starts for it carries the id."""

    id: str
    parts: Sequence[str]
    """All texts that it was given, one of which is the prompt."""
    alive: Sequence[str] = ()
    """The receipts of all processes that the sandbox had at that moment."""


KILLED = (137, 143)
"""Exit codes of SIGKILL and SIGTERM."""


def broken(log: Sequence[Event], watchers: Iterable[Watcher], receipts: Sequence[Receipt]) -> list[str]:
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
        *_handed_again(log),
        *_met_by_the_next(log, receipts),
        *_engine_is_sound(log),
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


def _given_once(log: Sequence[Event], receipts: Sequence[Receipt]) -> list[str]:
    """The engine has each prompt, as it was edited last, at most once for each time that the log says it was handed
    over, and no text that was edited away."""
    turns = _text_of_turn(log)
    handed = Counter(turns.get(event["event"]["turn"]) for event in log if event["event"]["type"] == "prompt_handed")
    said = {event["event"]["prompt"]["text"] for event in log if event["event"]["type"] == "prompt_queued"}
    found = []
    for text in {*texts_of(log).values(), *said}:
        got = sum(text in receipt.parts for receipt in receipts)
        if got > handed[text]:
            found.append(f"{text!r} was given to the engine {got} times and handed over {handed[text]} times")
    return found


def _text_of_turn(log: Iterable[Event]) -> dict[str, str]:
    log = list(log)
    texts = texts_of(log)
    started = [event["event"] for event in log if event["event"]["type"] == "turn_started"]
    return {event["turn"]: texts[event["prompt"]] for event in started if event["prompt"] in texts}


def _handed_again(log: Sequence[Event]) -> list[str]:
    """Between two times that a round of a turn is handed over something has cut it off, and the log says so."""
    open_rounds: set[tuple[str, int]] = set()
    found = []
    for recorded in log:
        event = recorded["event"]
        if event["type"] == "turn_interrupted":
            open_rounds = {one for one in open_rounds if one[0] != event["turn"]}
        elif event["type"] == "prompt_handed":
            this = (event["turn"], event.get("round", 1))
            if this in open_rounds:
                found.append(f"event {recorded['seq']}: round {this[1]} of {this[0]} is handed over again in silence")
            open_rounds.add(this)
    return found


def _met_by_the_next(log: Sequence[Event], receipts: Sequence[Receipt]) -> list[str]:
    """What a turn left that was stopped, failed or cut off is dead before its sandbox has the next prompt."""
    mine = set(_text_of_turn(log).values())
    found = []
    for number, receipt in enumerate(receipts):
        if mine.intersection(receipt.parts):
            found += left_of_ended(log, receipts[: number + 1], receipt.alive)
    return found


def _engine_is_sound(log: Sequence[Event]) -> list[str]:
    """The engine ends by kills alone: one that never ran would make all of this easy to hold. Nor does what a kill has
    left in the workspace stand in the way of what comes after it."""
    return [
        f"event {recorded['seq']}: {recorded['event']['reason']}"
        for recorded in log
        if recorded["event"]["type"] == "turn_interrupted"
        and any(words in recorded["event"]["reason"] for words in ("ended with exit code", "could not be made ready"))
        and not any(f"exit code {code}." in recorded["event"]["reason"] for code in KILLED)
    ]


def left_of_ended(log: Sequence[Event], receipts: Sequence[Receipt], alive: Collection[str]) -> list[str]:
    """What is alive of turns that were stopped, failed or cut off. `log` and `receipts` are older than `alive`."""
    texts = _text_of_turn(log)
    ended = {
        texts[event["event"]["turn"]]: event["event"]["reason"]
        for event in log
        if event["event"]["type"] == "turn_ended" and event["event"]["turn"] in texts
    }
    found = []
    for number, receipt in enumerate(receipts):
        for text in set(texts.values()).intersection(receipt.parts) if receipt.id in alive else ():
            if ended.get(text, "completed") != "completed":
                found.append(f"a process of {text!r} lives, which was {ended[text]}")
            elif any(text in later.parts for later in receipts[number + 1 :]):
                found.append(f"a process of {text!r} lives from before it was cut off")
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
