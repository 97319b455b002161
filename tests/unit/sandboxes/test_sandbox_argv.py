"""The command line of a sandbox says what its walls are."""

import errno
import os

from outrider.model.sandbox import GuestRole, Limits
from outrider.sandboxes.namespaces.bwrap import sandbox_argv
from outrider.sandboxes.namespaces.mapped.mounts import overlay_options
from outrider.sandboxes.seccomp import filter_program
from outrider.sandboxes.walls import BUILD_CAPABILITIES, LISTENER_CAPABILITIES, shm_bytes

SHM = shm_bytes(Limits())


def kept_capabilities(argv: list[str]) -> set[str]:
    assert argv[argv.index("--cap-drop") + 1] == "ALL"
    return {argv[at + 1] for at, word in enumerate(argv) if word == "--cap-add"}


def test_a_session_ends_as_a_user_with_nothing() -> None:
    argv = sandbox_argv("/usr/bin/bwrap", GuestRole.SESSION, toolbox=True, shm=SHM)
    assert kept_capabilities(argv) == set(LISTENER_CAPABILITIES)
    assert "--reuid 1000" in argv[-1]
    assert "--bounding-set=-all --no-new-privs" in argv[-1]


def test_a_build_keeps_what_packages_need_and_no_power_over_the_machine() -> None:
    argv = sandbox_argv("/usr/bin/bwrap", GuestRole.BUILD, toolbox=False, shm=SHM)
    assert kept_capabilities(argv) == set(BUILD_CAPABILITIES)
    assert not {name for name in BUILD_CAPABILITIES if name in ("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE")}
    assert "setpriv" not in argv[-1]


def test_no_sandbox_shares_a_namespace_nests_a_map_or_dies_with_us() -> None:
    for role in GuestRole:
        argv = sandbox_argv("/usr/bin/bwrap", role, toolbox=True, shm=SHM)
        assert {"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup"} <= set(argv)
        assert not {"--unshare-user", "--unshare-all", "--uid", "--die-with-parent", "--share-net"} & set(argv)
        assert "--clearenv" in argv


def test_shared_memory_of_every_kind_has_the_same_bound() -> None:
    """Half of the memory, and a gigabyte at most."""
    assert (SHM, shm_bytes(Limits(memory_bytes=200 << 20))) == (1 << 30, 100 << 20)
    argv = sandbox_argv("/usr/bin/bwrap", GuestRole.SESSION, toolbox=True, shm=100 << 20)
    at = argv.index("/dev/shm")
    assert argv[at - 3 : at] == ["--size", str(100 << 20), "--tmpfs"]
    assert f"echo {(100 << 20) // os.sysconf('SC_PAGE_SIZE')} >/proc/sys/kernel/shmall" in argv[-1]


def test_layers_are_stacked_with_the_last_on_top() -> None:
    options = overlay_options(["base-a", "repo-b"], "boxes/x")
    assert options.startswith("lowerdir=layers/repo-b:layers/base-a,")
    assert "userxattr" in options.split(",")


def test_the_longest_stack_fits_the_one_page_that_mount_reads() -> None:
    assert len(overlay_options([f"repo-{'a' * 20}{n:02}" for n in range(64)], "boxes/sb-" + "a" * 32)) < 4096


def test_the_filter_is_a_program_that_refuses() -> None:
    program = filter_program()
    assert len(program) % 8 == 0
    codes = {int.from_bytes(program[at : at + 2], "little") for at in range(0, len(program), 8)}
    answers = {
        int.from_bytes(program[at + 4 : at + 8], "little")
        for at in range(0, len(program), 8)
        if int.from_bytes(program[at : at + 2], "little") == 0x06
    }
    assert 0x06 in codes
    refusals = {0x0005_0000 | number for number in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)}
    assert refusals <= answers
