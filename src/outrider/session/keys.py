"""Keys under which people ask: the same one again is the same request, answered as before. Pure."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.ids import PromptId
from outrider.model.membership import person_key
from outrider.model.person import Person
from outrider.model.prompt import Prompt
from outrider.session.state import Answered, KeyOf, State

KEYS_KEPT = 500
"""Keys that a session remembers, the newest. A client tries again within minutes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked under a key."""

    key: KeyOf
    digest: str


def request_of(command: c.Command) -> Request | None:
    """The key and what it stands for; None for what has no key."""
    match command:
        case c.QueuePrompt(prompt=prompt) if prompt.key is not None:
            return Request(key_of(prompt.author.person, prompt.key), prompt_digest(prompt))
        case c.Once(key=key, command=inner):
            asked = {field.name: getattr(inner, field.name) for field in dataclasses.fields(inner)}
            asked.pop("rules", None)  # the deployment's, which may change between two tries
            return Request(key_of(asked.pop("by"), key), _digest(type(inner).__name__, asked))
    return None


def answered(state: State, command: c.Command) -> Answered | None:
    """How the same request was answered before; None where it is new. Raises Refused where the key was another's."""
    request = request_of(command)
    known = state.keys.get(request.key) if request else None
    if request is None or known is None:
        return None
    if known.digest != request.digest:
        raise Refused(
            "This key was used for another request in this session.",
            "Use a new key for a new request; the same key is for trying the same request again.",
        )
    return known


def key_used(command: c.Once) -> e.KeyUsed:
    """The event that keeps a key."""
    request = request_of(command)
    if request is None:
        raise ValueError(f"{command} has no key")
    return e.KeyUsed(key=command.key, digest=request.digest, by=command.command.by)


def remembered(state: State, event: e.PromptQueued | e.KeyUsed, seq: int) -> Mapping[KeyOf, Answered]:
    """The keys with one more, which its event stands for."""
    if isinstance(event, e.KeyUsed):
        return _with(state.keys, key_of(event.by, event.key), Answered(event.digest, seq))
    prompt = event.prompt
    if prompt.key is None:
        return state.keys
    return _with(state.keys, key_of(prompt.author.person, prompt.key), Answered(prompt_digest(prompt), seq, prompt.id))


def prompt_digest(prompt: Prompt) -> str:
    """What a prompt asks, whoever asks it and under whatever id."""
    return _digest("prompt", [prompt.text, *(file.place for file in prompt.attachments)])


def known_prompt(state: State, prompt: Prompt) -> PromptId:
    """The prompt that was queued under the key of this one; its own id where it has no key."""
    known = state.keys.get(key_of(prompt.author.person, prompt.key)) if prompt.key is not None else None
    return known.prompt if known and known.prompt else prompt.id


def key_of(person: Person, key: str) -> KeyOf:
    """A key of a person. Upper and lower case are one address."""
    return person_key(person.email), key


def _with(keys: Mapping[KeyOf, Answered], key: KeyOf, answer: Answered) -> Mapping[KeyOf, Answered]:
    return dict(islice({**keys, key: answer}.items(), max(len(keys) + (key not in keys) - KEYS_KEPT, 0), None))


def _digest(kind: str, what: object) -> str:
    body = json.dumps([kind, what], sort_keys=True, default=str)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
