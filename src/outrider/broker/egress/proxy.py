"""The egress proxy of a door: CONNECT for https, absolute addresses for plain http. Every decision is told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from outrider.broker.conversations import Conversations
from outrider.broker.egress.dial import Dialer, Streams, Unreachable
from outrider.broker.egress.pump import copy_answer, splice
from outrider.broker.egress.rules import EgressRules, Verdict
from outrider.broker.egress.target import HEAD_LIMIT, ProxyRequest, parse_head
from outrider.broker.network import UpstreamProxy
from outrider.model.egress import Refusal, Target
from outrider.model.errors import BadRequest, Refused
from outrider.model.limits import FIXED, raised_by
from outrider.ports.broker import DoorSpec

CONNECTION_LIMIT = 64
HEAD_SECONDS = 10.0
TUNNEL_SECONDS = 3600.0

UNREAD = Target("unread", 0)
"""Stands in the audit log for the target of a request that was refused before it was known."""

_SHUT = Verdict(False, "this sandbox has no way out")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EgressDecision:
    """One line for the audit log. `why` completes "…, because"."""

    owner: str
    host: str
    port: int
    allowed: bool
    why: str


def log_decision(decision: EgressDecision) -> None:
    """The audit of last resort: a log line."""
    word = "allowed" if decision.allowed else "refused"
    _log.info("egress %s: %s to %s:%d, %s", word, decision.owner, decision.host, decision.port, decision.why)


class EgressProxy:
    """The proxy of a deployment; `serve` opens it for one door."""

    def __init__(
        self, rules: EgressRules, dialer: Dialer, audit: Callable[[EgressDecision], None] = log_decision
    ) -> None:
        self._rules = rules
        self._dialer = dialer
        self._audit = audit

    @asynccontextmanager
    async def serve(self, path: Path, door: Callable[[], DoorSpec]) -> AsyncIterator[None]:
        """Answer on the Unix socket `path` as long as the context lives, to whom the door belongs when a connection
        comes in. Where its spec has no egress, everything is refused."""
        talks = Conversations(TUNNEL_SECONDS)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                if len(talks) >= CONNECTION_LIMIT:
                    sentence = f"A sandbox has at most {CONNECTION_LIMIT} connections at a time. {raised_by(FIXED)}"
                    self._tell(door(), UNREAD, allowed=False, why=sentence)
                    await _refuse(writer, 503, sentence)
                    return
                async with talks.one():
                    await self._converse(door(), (reader, writer))
            except OSError:
                _log.debug("a guest of %s left in the middle of a request", door().owner)
            finally:
                writer.close()

        server = await asyncio.start_unix_server(accept, path, limit=HEAD_LIMIT)
        try:
            yield
        finally:
            server.close()
            await talks.end()

    async def _converse(self, door: DoorSpec, guest: Streams) -> None:
        """One request: read it, decide it, carry it out, or say why not."""
        try:
            request = await _read(guest[0])
            verdict = self._judge(door, request.target)
            await self._carry(door, request, verdict, guest)
        except BadRequest as error:
            self._tell(door, UNREAD, allowed=False, why=error.sentence)
            await _refuse(guest[1], 400, error.sentence)
        except Refused as error:
            await _refuse(guest[1], 403, str(error))
        except Unreachable as error:
            await _refuse(guest[1], 502, error.sentence)

    def _judge(self, door: DoorSpec, target: Target) -> Verdict:
        verdict = _SHUT
        if door.egress is not None:
            verdict = self._rules.judge_within(target, door.egress, door.allowed(), door.within)
        if not verdict.allowed:
            raise self._refuse(door, target, verdict)
        return verdict

    async def _carry(self, door: DoorSpec, request: ProxyRequest, verdict: Verdict, guest: Streams) -> None:
        scheme = "https" if request.path is None else "http"
        proxy = self._dialer.network.proxy_for(scheme, request.target.host)
        outside = await self._connect(door, request, verdict, proxy)
        try:
            if request.path is None:
                guest[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await splice(guest, outside)
            else:
                authorization = proxy.authorization if proxy else None
                outside[1].write(request.head(absolute=proxy is not None, proxy_authorization=authorization))
                await copy_answer(outside[0], guest[1], body=request.method != "HEAD")
        finally:
            outside[1].close()

    async def _connect(
        self, door: DoorSpec, request: ProxyRequest, verdict: Verdict, proxy: UpstreamProxy | None
    ) -> Streams:
        """A connection that leads to the target. Tells the decision, with what came of it."""
        target = request.target
        try:
            if proxy is None:
                streams = await self._dialer.connect(target, self._rules.operator, anywhere=verdict.anywhere)
            elif request.path is None:
                streams = await self._dialer.tunnel(proxy, target)
            else:
                streams = await self._dialer.to_proxy(proxy)
        except Refused as error:
            raise self._refuse(door, target, Verdict(False, error.sentence)) from error
        except Unreachable as error:
            self._tell(door, target, allowed=True, why=f"{verdict.why}, but {error.sentence}")
            raise Unreachable(f"{target} cannot be reached: {error.sentence}.") from error
        self._tell(door, target, allowed=True, why=verdict.why)
        return streams

    def _tell(self, door: DoorSpec, target: Target, *, allowed: bool, why: str) -> None:
        self._audit(EgressDecision(door.owner, target.host, target.port, allowed, why))

    def _refuse(self, door: DoorSpec, target: Target, verdict: Verdict) -> Refused:
        """Tell a refusal to everyone but the guest, and what the guest is told."""
        self._tell(door, target, allowed=False, why=verdict.why)
        door.on_refused(Refusal(target, verdict.why, verdict.allowable))
        return Refused(f"Outrider refused {target}: {verdict.why}.", _remedy(door, target, verdict))


def _remedy(door: DoorSpec, target: Target, verdict: Verdict) -> str:
    """Whom to ask. It says nothing that the guest could do by itself."""
    if verdict.allowable and door.within:
        return (
            f"A person can allow it in the session, or with: outrider egress allow {target.rule} --session {door.owner}"
        )
    if verdict.allowable and door.egress is not None and door.egress.repository is not None:
        return (
            f"A person can allow it in the session, or with: outrider egress allow {target.rule} "
            f"--repo {door.egress.repository}"
        )
    return "Only whoever runs Outrider can allow it: OUTRIDER_ALLOWED_HOSTS and OUTRIDER_ALLOWED_NETWORKS."


async def _read(reader: asyncio.StreamReader) -> ProxyRequest:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return parse_head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError as error:
        raise BadRequest(f"The request head is larger than {HEAD_LIMIT >> 10} kB.") from error
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the guest left") from error
    except TimeoutError as error:
        raise BadRequest(f"The request head took longer than {HEAD_SECONDS:.0f} s.") from error


async def _refuse(writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    """The sentence is the reason phrase too: that is all that pip and npm show of a refused tunnel."""
    body = sentence.encode("ascii", "replace")
    phrase = b" ".join(body.split())[:300]
    head = b"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (status, phrase, len(body) + 1) + body + b"\n")
    await writer.drain()
