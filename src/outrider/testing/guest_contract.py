"""What every guest has to do, over a real connection or a fake one. Subclass as with `sandbox_contract`."""

import asyncio
import json
import secrets
import socket
import sys
from pathlib import Path

import pytest

from outrider.model.errors import LimitReached, SandboxError, SandboxLost
from outrider.model.sandbox import GUEST_HOME, WORKSPACE, SandboxHandle
from outrider.ports.sandbox import ByteReader, ByteWriter, ExecSpec, Guest, SandboxProvider
from outrider.testing.sandbox_contract import SandboxFixtures, shell
from outrider.testing.tars import one_chunk, read_tar, tar_of

BIG_BYTES = 200_000_000
MEMORY_ALLOWANCE = 48 << 20
"""How much our memory may grow while BIG_BYTES pass: the channel's window, our buffer, and the allocator's slack."""


class CommandContract(SandboxFixtures):
    """For the commands of `outrider.ports.sandbox.Guest`, and `Process`."""

    async def test_a_command_has_folder_environment_input_and_exit_code(self, guest: Guest) -> None:
        script = 'echo "$WORD"; basename "$PWD"; cat; echo problem >&2; exit 7'
        done = await guest.run(shell(script, WORD="a 'quoted' $word"), stdin=b"input\n")
        assert done.output == b"a 'quoted' $word\nworkspace\ninput\nproblem\n"
        assert (done.exit_code, done.truncated, done.timed_out) == (7, False, False)

    async def test_the_home_of_the_guest_is_the_default_folder(self, guest: Guest) -> None:
        done = await guest.run(ExecSpec(argv=["sh", "-c", 'test "$PWD" = "$HOME" && basename "$PWD"']))
        assert done.output.decode().strip() == Path(GUEST_HOME).name

    async def test_long_output_loses_its_middle(self, guest: Guest) -> None:
        done = await guest.run(shell("echo first; head -c 300000 /dev/zero; echo last"), output_limit=1000)
        assert (len(done.output), done.truncated) == (1000, True)
        assert done.output.startswith(b"first\n")
        assert done.output.endswith(b"last\n")

    async def test_a_command_over_its_time_is_killed_with_its_children(self, guest: Guest) -> None:
        done = await guest.run(shell("echo begun; sleep 987 & sleep 987"), timeout_seconds=0.5)
        assert done.timed_out
        assert done.output == b"begun\n"
        assert (await guest.run(shell("pgrep -f 'sleep 98[7]'"))).exit_code == 1

    async def test_a_command_whose_call_is_cancelled_is_killed(self, guest: Guest) -> None:
        async with asyncio.TaskGroup() as tasks:
            call = tasks.create_task(guest.run(shell("echo $$ >begun; sleep 988")), name="cancelled")
            await self._until(guest, "test -s begun")
            call.cancel()
        await self._until(guest, "! pgrep -f 'sleep 98[8]'")

    async def _until(self, guest: Guest, condition: str) -> None:
        """Wait in the guest for a condition."""
        waited = f"until {condition}; do sleep 0.02; done"
        assert not (await guest.run(shell(waited), timeout_seconds=30)).timed_out

    async def test_what_is_left_behind_does_not_hold_a_command(self, guest: Guest) -> None:
        done = await guest.run(shell("sleep 986 & echo done"), timeout_seconds=20)
        assert (done.exit_code, done.output, done.timed_out) == (0, b"done\n", False)

    async def test_an_end_by_signal_is_128_and_its_number(self, guest: Guest) -> None:
        assert (await guest.run(shell("kill -TERM $$"))).exit_code == 128 + 15

    async def test_a_missing_program_is_an_exit_code(self, guest: Guest) -> None:
        assert (await guest.run(ExecSpec(argv=["no-such-program"]))).exit_code == 127

    async def test_a_process_talks_while_it_runs(self, guest: Guest) -> None:
        process = await guest.start(shell("while read line; do echo got $line; echo err $line >&2; done; exit 3"))
        lines, errors = process.stdout(), process.stderr()
        for word in (b"one", b"two"):
            await process.write(word + b"\n")
            assert await anext(lines) == b"got " + word + b"\n"
            assert await anext(errors) == b"err " + word + b"\n"
        await process.close_stdin()
        assert await process.wait() == 3
        assert [chunk async for chunk in lines] == []

    async def test_a_terminal_has_a_size_that_can_change(self, guest: Guest) -> None:
        script = "stty -echo; test -t 0 && test -t 1 && stty size; read line; stty size"
        process = await guest.start(ExecSpec(argv=["sh", "-c", script], pty=(80, 24)))
        screen = process.stdout()
        seen = b""
        while b"24 80" not in seen:
            seen += await anext(screen)
        await process.resize(100, 30)
        await process.write(b"\n")
        async for chunk in screen:
            seen += chunk
        assert b"30 100" in seen
        assert await process.wait() == 0

    async def test_a_signal_reaches_the_process_group(self, guest: Guest) -> None:
        process = await guest.start(shell("sleep 985 & echo up; wait"))
        assert await anext(process.stdout()) == b"up\n"
        await process.signal("KILL")
        assert await process.wait() == 128 + 9
        assert (await guest.run(shell("pgrep -f 'sleep 98[5]'"))).exit_code == 1

    async def test_nothing_hides_from_killing_everything(self, guest: Guest) -> None:
        mark = f"{secrets.randbelow(90_000) + 10_000}"
        script = f"""
            nohup sleep {mark}1 >/dev/null 2>&1 &
            setsid sleep {mark}2 </dev/null >/dev/null 2>&1 &
            (setsid sh -c 'sleep {mark}3 & sleep {mark}3 & exec sleep {mark}3' </dev/null >/dev/null 2>&1 &)
            sh -c 'trap "" TERM HUP INT; while :; do sleep {mark}4; done' </dev/null >/dev/null 2>&1 &
            OUTRIDER_ROLE=engine setsid sleep {mark}5 </dev/null >/dev/null 2>&1 &
            echo up"""
        await guest.run(shell(script))
        kept = await guest.start(shell(f"echo up; sleep {mark}6 & wait", OUTRIDER_ROLE="engine"))
        assert await anext(kept.stdout()) == b"up\n"
        assert await guest.kill_everything(spare=["engine"]) >= 5
        alive = await guest.run(shell(f"pgrep -xf 'sleep {mark}[0-9]' -a"))
        assert [line.split()[-1] for line in alive.output.decode().splitlines()] == [f"{mark}6"], alive
        assert await guest.kill_everything() == 2
        assert await kept.wait() == 128 + 9
        assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0
        assert await guest.kill_everything() == 0

    async def test_leaving_ends_what_was_started(self, provider: SandboxProvider, sandbox: SandboxHandle) -> None:
        async with await provider.connect(sandbox) as first:
            process = await first.start(shell("echo up; sleep 984"))
            await anext(process.stdout())
        with pytest.raises(SandboxLost):
            await first.run(ExecSpec(argv=["true"]))
        async with await provider.connect(sandbox) as second:
            assert (await second.run(shell("pgrep -f 'sleep 98[4]'"))).exit_code == 1

    async def test_a_stop_is_a_loss_to_whoever_is_connected(
        self, provider: SandboxProvider, sandbox: SandboxHandle, guest: Guest
    ) -> None:
        process = await guest.start(shell("echo up; sleep 983"))
        await anext(process.stdout())
        await provider.stop(sandbox)
        assert (await guest.wait_lost()).endswith(".")
        with pytest.raises(SandboxLost):
            await process.wait()
        with pytest.raises(SandboxLost):
            await guest.start(ExecSpec(argv=["true"]))


class TransferContract(SandboxFixtures):
    """For the bytes, files and ports of `outrider.ports.sandbox.Guest`."""

    @pytest.mark.parametrize("direction", ["out", "in"])
    async def test_a_lot_passes_with_bounded_memory(self, sandbox: SandboxHandle, adapter: str, direction: str) -> None:
        argv = [sys.executable, "-m", "outrider.testing.adapter_memory"]
        process = await asyncio.create_subprocess_exec(
            *argv, sandbox.model_dump_json(), direction, str(BIG_BYTES),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate(adapter.encode())
        measured = json.loads(output)
        assert (measured["passed"], measured["code"]) == (BIG_BYTES, 0)
        assert measured["grown"] < MEMORY_ALLOWANCE, measured

    async def test_nobody_reading_holds_the_command_back(self, guest: Guest) -> None:
        process = await guest.start(shell(f"head -c {BIG_BYTES} /dev/zero; echo all written >done"))
        await guest.run(shell("sleep 0.3"))
        assert (await guest.run(shell("cat done"))).exit_code == 1
        async for _ in process.stdout():
            pass
        assert (await guest.run(shell("cat done"))).exit_code == 0

    async def test_files_go_in_and_come_out_with_modes_and_links(self, guest: Guest) -> None:
        files = {"run.sh": b"#!/bin/sh\n", "deep/er/data": bytes(100_000)}
        await guest.put(f"{WORKSPACE}/new", one_chunk(tar_of(files, modes={"run.sh": 0o755}, links={"link": "run.sh"})))
        done = await guest.run(shell("stat -c '%a %n' new/run.sh; readlink new/link; wc -c <new/deep/er/data"))
        assert done.output == b"755 new/run.sh\nrun.sh\n100000\n"
        out = read_tar(b"".join([chunk async for chunk in guest.get(f"{WORKSPACE}/new", limit_bytes=1 << 20)]))
        assert out["new/run.sh"] == (0o755, b"#!/bin/sh\n")
        assert out["new/deep/er/data"][1] == bytes(100_000)
        assert out["new/link"][1] == b"run.sh"

    async def test_too_much_is_not_taken_out(self, guest: Guest) -> None:
        await guest.run(shell("head -c 3000000 /dev/zero >big"))
        with pytest.raises(LimitReached):
            async for _ in guest.get(f"{WORKSPACE}/big", limit_bytes=100_000):
                pass

    async def test_files_that_cannot_be_moved_say_why(self, guest: Guest) -> None:
        with pytest.raises(SandboxError, match="missing"):
            async for _ in guest.get(f"{WORKSPACE}/missing", limit_bytes=100_000):
                pass
        with pytest.raises(SandboxError, match="unpacked"):
            await guest.put(f"{WORKSPACE}/new", one_chunk(b"this is no tar" * 100))

    async def test_a_port_in_the_guest_can_be_dialled(self, guest: Guest) -> None:
        port = free_port()
        server = await guest.start(shell(f"echo up; exec socat TCP-LISTEN:{port},reuseaddr,fork,bind=127.0.0.1 PIPE"))
        assert await anext(server.stdout()) == b"up\n"
        reader, writer = await _dial_when_up(guest, port)
        writer.write(b"hello")
        assert await reader.read(100) == b"hello"
        writer.write_eof()
        assert await reader.read(100) == b""
        writer.close()

    async def test_a_closed_port_is_an_error_and_not_a_loss(self, guest: Guest) -> None:
        with pytest.raises(SandboxError, match="port") as caught:
            await guest.dial(free_port())
        assert not isinstance(caught.value, SandboxLost)
        assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0

    async def test_a_forwarded_port_reaches_our_socket(self, guest: Guest, tmp_path: Path) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"you said " + await reader.read(1000))
            writer.close()
            await writer.wait_closed()

        path, port = tmp_path / "s", free_port()
        server = await asyncio.start_unix_server(answer, path)
        await guest.forward(port, path)
        done = await guest.run(shell(f"printf hi | socat -t 5 - TCP:127.0.0.1:{port}"))
        with pytest.raises(SandboxError, match="taken"):
            await guest.forward(port, path)
        server.close()
        assert done.output == b"you said hi"


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _dial_when_up(guest: Guest, port: int) -> tuple[ByteReader, ByteWriter]:
    for _ in range(100):
        try:
            return await guest.dial(port)
        except SandboxError:
            await guest.run(shell("sleep 0.02"))
    raise AssertionError(f"nothing listened on {port}")
