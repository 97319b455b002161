"""The `websockets` library's own broadcast as a fan-out: the same wire as feed_floor.c."""

import asyncio
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def _publish(clients: set[ServerConnection], events: int, pause_us: int, size: int) -> str:
    begun, before = time.monotonic_ns(), time.process_time()
    for number in range(events):
        if pause_us:
            await asyncio.sleep(max((begun - time.monotonic_ns()) / 1e9 + number * pause_us / 1e6, 0))
        broadcast(clients, f"TS{time.monotonic_ns()} ".ljust(size, "x"))
    await asyncio.sleep(0.2)
    return f"{(time.process_time() - before) * 1e6:.0f} {begun}"


async def main() -> None:
    """Serve until stdin ends."""
    clients: set[ServerConnection] = set()

    async def serve_one(connection: ServerConnection) -> None:
        clients.add(connection)
        await connection.wait_closed()
        clients.discard(connection)

    async with serve(serve_one, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        sys.stdout.write(f"port {next(iter(server.sockets)).getsockname()[1]}\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(await _publish(clients, *map(int, line.split())) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
