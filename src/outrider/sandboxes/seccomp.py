"""The system call filter of every sandbox: what an unprivileged guest has no business with, though the kernel asks."""

import errno
import os
import tempfile

import pyseccomp

CLONE_NEW_FLAGS = {
    "CLONE_NEWTIME": 0x80,
    "CLONE_NEWNS": 0x0002_0000,
    "CLONE_NEWCGROUP": 0x0200_0000,
    "CLONE_NEWUTS": 0x0400_0000,
    "CLONE_NEWIPC": 0x0800_0000,
    "CLONE_NEWUSER": 0x1000_0000,
    "CLONE_NEWPID": 0x2000_0000,
    "CLONE_NEWNET": 0x4000_0000,
}

REFUSED = (
    # New namespaces give a guest root's view of the kernel; most privilege escalations of the last years began there.
    "unshare", "setns",
    # The mount family.
    "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd", "fanotify_init", "open_by_handle_at",
    # Large, young or rarely needed parts of the kernel.
    "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd",
    "keyctl", "add_key", "request_key", "lookup_dcookie", "kcmp",
    # The machine itself.
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "syslog", "acct",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "uselib", "ustat", "sysfs",
)  # fmt: skip
"""Refused with EPERM. ptrace stays: debuggers need it, and it reaches only processes of the same guest user."""

SOCKET_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
"""All that a guest may open. AF_VSOCK would reach a hypervisor past the empty network namespace."""


def filter_program() -> bytes:
    """The filter as a BPF program, for bubblewrap's `--seccomp`. Other architectures' calls kill the caller."""
    program = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED:
        _refuse(program, errno.EPERM, name)
    for flag in CLONE_NEW_FLAGS.values():
        _refuse(program, errno.EPERM, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 keeps its flags in memory, where a filter cannot look; on ENOSYS every libc falls back to clone.
    _refuse(program, errno.ENOSYS, "clone3")
    _refuse_families(program)
    return _export(program)


def _refuse(program: "pyseccomp.SyscallFilter", number: int, name: str, *args: "pyseccomp.Arg") -> None:
    try:
        program.add_rule(pyseccomp.ERRNO(number), name, *args)
    except (OSError, ValueError):
        # A name that this machine's libseccomp does not know: some exist on one architecture only.
        return


def _refuse_families(program: "pyseccomp.SyscallFilter") -> None:
    allowed = sorted(SOCKET_FAMILIES.values())
    bounds = [-1, *allowed]
    for below, family in zip(bounds, allowed, strict=False):
        for refused in range(below + 1, family):
            _refuse(program, errno.EAFNOSUPPORT, "socket", pyseccomp.Arg(0, pyseccomp.EQ, refused))
    _refuse(program, errno.EAFNOSUPPORT, "socket", pyseccomp.Arg(0, pyseccomp.GT, allowed[-1]))


def _export(program: "pyseccomp.SyscallFilter") -> bytes:
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0, os.SEEK_SET)
        return file.read()
