"""What a container is asked to be, and how its stream is read."""

import asyncio
import platform
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import GuestRole, Isolation, Limits, SandboxSpec
from outrider.sandboxes.docker.container import container_config, seccomp_profile
from outrider.sandboxes.docker.hijacked import splice
from outrider.sandboxes.docker.probe import GVISOR, isolation_of, runtime_of, whose_ids
from outrider.sandboxes.seccomp import REFUSED
from outrider.sandboxes.sshd import new_keys, sshd_argv
from outrider.sandboxes.true_program import true_program
from outrider.sandboxes.walls import OPEN_FILES


def spec(role: GuestRole) -> SandboxSpec:
    limits = Limits(cpus=1.5, memory_bytes=1 << 30, processes=77, disk_bytes=5 << 30)
    return SandboxSpec(id=SandboxId("sb-one"), layers=(LayerId("layer-base"),), role=role, limits=limits)


def test_a_session_has_walls_and_limits() -> None:
    config = container_config(spec(GuestRole.SESSION), new_keys(), "image", labels={"a": "b"})
    host = config["HostConfig"]
    assert (host["NetworkMode"], host["CapDrop"], "no-new-privileges" in host["SecurityOpt"]) == ("none", ["ALL"], True)
    assert host["CapAdd"] == ["SETUID", "SETGID", "SETPCAP"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        1 << 30, 1 << 30, 1_500_000_000, 77,
    )  # fmt: skip
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES}]
    assert "Binds" not in host
    assert "Privileged" not in host
    entering = " ".join(sshd_argv(GuestRole.SESSION, spec(GuestRole.SESSION).limits))
    assert "--fsize=5368709120" in entering
    assert "--bounding-set=-all --no-new-privs" in entering


def test_a_build_has_what_apt_needs_and_no_more() -> None:
    host = container_config(spec(GuestRole.BUILD), new_keys(), "image", labels={})["HostConfig"]
    assert "CHOWN" in host["CapAdd"]
    assert not {"SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_PTRACE"} & set(host["CapAdd"])


def test_the_filter_is_the_one_of_the_other_providers() -> None:
    rules = seccomp_profile()["syscalls"]
    assert rules[0]["names"] == list(REFUSED)
    sockets = [rule["args"][0] for rule in rules if rule["names"] == ["socket"]]
    allowed = {number for number in range(64) if not any(_matches(rule, number) for rule in sockets)}
    assert allowed == {1, 2, 10, 16}


def _matches(rule: dict[str, int | str], number: int) -> bool:
    return number == rule["value"] if rule["op"] == "SCMP_CMP_EQ" else number > int(rule["value"])


@pytest.mark.parametrize(
    ("runtimes", "wanted", "found"), [([], None, None), (["runc", GVISOR], None, GVISOR), ([GVISOR], GVISOR, GVISOR)]
)
def test_gvisor_is_used_where_the_daemon_has_it(runtimes: list[str], wanted: str | None, found: str | None) -> None:
    assert runtime_of({"Runtimes": dict.fromkeys(runtimes)}, wanted) == found
    assert isolation_of(found) is (Isolation.USER_KERNEL if found else Isolation.SHARED_KERNEL)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the program is for two processors")
def test_the_probes_program_ends_with_0(tmp_path: Path) -> None:
    program = tmp_path / "true"
    program.write_bytes(true_program())
    program.chmod(stat.S_IRWXU)
    assert subprocess.run([str(program)], check=False).returncode == 0


def frame(kind: int, data: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("cut", [1, 3, 8, 11, 1000])
def test_frames_come_off_wherever_they_are_cut(cut: int, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(unframed(cut)) == b"hello world"


async def unframed(cut: int) -> bytes:
    docker, far = socket.socketpair()
    docker.setblocking(False)
    sent = frame(1, b"hello ") + frame(2, b"a complaint") + frame(1, b"") + frame(1, b"world")
    ours = await splice(docker, sent[:cut])
    loop = asyncio.get_running_loop()
    far.setblocking(False)
    for start in range(cut, len(sent), cut):
        await loop.sock_sendall(far, sent[start : start + cut])
    await loop.sock_sendall(ours, b"typed")
    assert await loop.sock_recv(far, 100) == b"typed"
    far.close()
    seen = b""
    while data := await loop.sock_recv(ours, 100):
        seen += data
    ours.close()
    await asyncio.sleep(0)
    return seen


async def test_closing_our_end_ends_the_commands_input() -> None:
    docker, far = socket.socketpair()
    for end in (docker, far):
        end.setblocking(False)
    ours = await splice(docker, b"")
    ours.close()
    assert await asyncio.get_running_loop().sock_recv(far, 10) == b""
    far.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("options", [["name=seccomp,profile=default", "name=userns"], ["name=rootless"]])
def test_a_daemon_that_maps_ids_makes_guests_nobody(options: list[str]) -> None:
    assert whose_ids({"SecurityOptions": options}) == "run as ids that own nothing"
    assert "userns-remap" in whose_ids({"SecurityOptions": ["name=seccomp"]})
    assert "userns-remap" in whose_ids({"SecurityOptions": None})
