"""Ids, each a type of its own so that one cannot stand for another, and how a new one is made.

An id is safe in a URL, a branch name, a file name and a host name: a prefix, a dash and lower-case base 32.
"""

import base64
import hashlib
import secrets
from typing import Annotated, NewType

from pydantic import StringConstraints

ID_PATTERN = r"^[a-z][a-z0-9]*-[a-z2-7]{4,32}$"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

SessionId = NewType("SessionId", str)
PromptId = NewType("PromptId", str)
TurnId = NewType("TurnId", str)
ToolCallId = NewType("ToolCallId", str)
MessageId = NewType("MessageId", str)
ProofId = NewType("ProofId", str)
ArtifactId = NewType("ArtifactId", str)
AttachmentId = NewType("AttachmentId", str)
SandboxId = NewType("SandboxId", str)
LayerId = NewType("LayerId", str)
BuildId = NewType("BuildId", str)
EffectId = NewType("EffectId", str)
CommitId = NewType("CommitId", str)

AnyId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def new_id(prefix: str, length: int = 10) -> str:
    """A fresh random id such as `s-k4q7ab2xyz`. Ten characters carry 50 bits."""
    return f"{prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def derived_id(prefix: str, *parts: object) -> str:
    """The one id that these parts have: 80 bits of their hash, the same each time."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=10).digest()
    return f"{prefix}-{base64.b32encode(digest).decode().lower()}"
