"""Connecting for a guest: resolve, check, connect to the checked address; or go through the operator's proxy."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from outrider.broker.egress.rules import OperatorRules
from outrider.broker.egress.target import HEAD_LIMIT
from outrider.broker.network import HostNetwork, UpstreamProxy
from outrider.model.egress import Target
from outrider.model.errors import OutriderError, Refused

RESOLVE_SECONDS = 10.0
CONNECT_SECONDS = 10.0
ADDRESSES = 4
"""How many addresses of one host are tried."""

_RESOLVERS = ThreadPoolExecutor(4, thread_name_prefix="egress-dns")

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Unreachable(OutriderError):
    """An allowed host that could not be connected to."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The machine's own resolver, in threads of its own: a dead name server may not hold up anyone else's."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Dialer:
    """How a deployment connects to the outside."""

    network: HostNetwork
    resolver: Resolver = resolve

    async def connect(self, target: Target, rules: OperatorRules, *, anywhere: bool) -> Streams:
        """A connection to the target itself. Raises Refused for its addresses, and Unreachable. The name is resolved
        once: what was checked is what is connected to, whatever it leads to a moment later."""
        addresses = await self._resolved(target)
        good = [address for address in addresses if rules.may_connect(address, anywhere=anywhere)]
        if not good:
            raise Refused("its name leads to a private or reserved address")
        return await _first(good[:ADDRESSES], target)

    async def tunnel(self, proxy: UpstreamProxy, target: Target) -> Streams:
        """A tunnel to the target through the operator's proxy, which resolves the name by itself."""
        reader, writer = await self.to_proxy(proxy)
        head = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        head += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                writer.write("\r\n".join([*head, "", ""]).encode())
                await writer.drain()
                answer = await reader.readuntil(b"\r\n\r\n")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise Unreachable("the operator's proxy did not open a tunnel") from error
        status = answer.split(b" ", 2)[1:2]
        if status != [b"200"]:
            writer.close()
            raise Unreachable(f"the operator's proxy refused with {b''.join(status).decode('latin-1')[:20]}")
        return reader, writer

    async def to_proxy(self, proxy: UpstreamProxy) -> Streams:
        """A connection to the operator's proxy, wherever that is."""
        target = Target(proxy.host, proxy.port)
        return await _first((await self._resolved(target))[:ADDRESSES], target)

    async def _resolved(self, target: Target) -> Sequence[str]:
        if target.address is not None:
            return [target.host]
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                return await self.resolver(target.host, target.port)
        except (OSError, TimeoutError) as error:
            raise Unreachable("its name cannot be resolved") from error


async def _first(addresses: Sequence[str], target: Target) -> Streams:
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(address, target.port, limit=4 * HEAD_LIMIT)
        except (OSError, TimeoutError):
            continue
    raise Unreachable("nothing answers there")
