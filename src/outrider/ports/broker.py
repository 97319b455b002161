"""The broker: the only way out of a sandbox. One door a sandbox, known by the connection it is forwarded over."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outrider.model.egress import EgressPolicy, Refusal
from outrider.model.engine import ModelRef, Usage
from outrider.ports.tools import SessionTools


def _nothing() -> Sequence[str]:
    return ()


async def _always() -> None:
    """No budget."""


def _ignored(refusal: Refusal) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class DoorSpec:
    """What one sandbox may reach. What is None is refused."""

    owner: str
    """The session's or proof's id, for the audit log."""
    model: ModelRef | None = None
    on_usage: Callable[[Usage], Awaitable[None]] | None = None
    on_trouble: Callable[[str], None] | None = None
    """Told in a sentence when a model's provider refuses a call: the engine may try again for minutes in silence."""
    tools: SessionTools | None = None
    repository: Path | None = None
    """A bare repository served read-only at `/git/repository.git`."""
    egress: EgressPolicy | None = None
    """What the egress proxy lets through, beside what the operator allows everybody."""
    within: tuple[EgressPolicy, ...] = ()
    """What the sessions above its owner could reach: nothing beyond it, but what a person has allowed to the owner."""
    may_spend: Callable[[], Awaitable[None]] = _always
    """Asked before each call of a model that costs. Raises LimitReached where nothing more may be spent."""
    allowed: Callable[[], Sequence[str]] = _nothing
    """Hosts that people have allowed to the owner, asked for at each connection."""
    on_refused: Callable[[Refusal], None] = _ignored
    """Told of each connection that was refused. May be called often: a guest decides how often."""
    unowned: bool = False
    """Nobody's yet: its tools answer “not yet”, and a primer answers for the model, which costs nothing."""


@dataclass(frozen=True, slots=True)
class Door:
    """Two Unix sockets on our side, to be forwarded to BROKER_PORT and EGRESS_PORT in the guest."""

    http: Path
    egress: Path


class Broker(Protocol):
    """Opens doors."""

    def open(self, spec: DoorSpec) -> AbstractAsyncContextManager[Door]:
        """A door for as long as the context lives; its connections end with it."""

    def hand_over(self, door: Door, spec: DoorSpec) -> None:
        """From its next request on the door is another owner's: tools, usage, model, repository, egress, audit. What
        an engine has open goes on, its MCP session too. Raises SandboxError where the door is closed."""

    def guest_environment(self) -> dict[str, str]:
        """Environment for setup commands and package clients in a guest with egress: proxy and CA settings."""

    def guest_files(self) -> dict[str, bytes]:
        """Files for the guest's package clients and CA bundle, by absolute path in the guest."""
