"""The command line that starts a sandbox. Pure: what it says is what runs, and a test can read it."""

import os

from outrider.model.sandbox import TOOLBOX, GuestRole
from outrider.sandboxes.namespaces.mapped.launch import INFO_FD, SECCOMP_FD
from outrider.sandboxes.namespaces.mapped.mounts import STAGE
from outrider.sandboxes.sshd import RUN_FOLDER, SSHD
from outrider.sandboxes.walls import BECOME_AGENT, HIDE_SSHD, RUN_BYTES, enter_sshd, kept_capabilities

MAX_CONNECTIONS = 64
"""Connections to the guest's sshd at one time: ours, and those of people's editors."""

PAGE = os.sysconf("SC_PAGE_SIZE")

NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup")
"""Never --unshare-user or --uid: they would nest a map of one id under the full one."""


def sandbox_argv(bwrap: str, role: GuestRole, *, toolbox: bool, shm: int) -> list[str]:
    """Start the staged root with a listener that runs one sshd for each connection, and `shm` bytes of /dev/shm."""
    argv = [bwrap, *NAMESPACES, "--new-session", "--hostname", "outrider", "--clearenv", "--chdir", "/"]
    argv += ["--info-fd", str(INFO_FD), "--seccomp", str(SECCOMP_FD)]
    argv += ["--bind", f"{STAGE}/root", "/", "--proc", "/proc", "--dev", "/dev"]
    argv += ["--perms", "1777", "--size", str(shm), "--tmpfs", "/dev/shm"]
    argv += ["--perms", "0755", "--size", str(RUN_BYTES), "--tmpfs", "/run", "--dir", "/run/sshd"]
    argv += ["--perms", "1777", "--dir", "/run/log", "--bind", f"{STAGE}/run", RUN_FOLDER]
    if toolbox:
        argv += ["--ro-bind", f"{STAGE}/toolbox", TOOLBOX]
    return [*argv, *_capabilities(role), "--", *listener_argv(role, shm)]


def probe_argv(bwrap: str) -> list[str]:
    """The same walls around the host's own files, with `true` instead of a listener."""
    argv = [bwrap, *NAMESPACES, "--new-session", "--clearenv", "--chdir", "/", "--seccomp", str(SECCOMP_FD)]
    argv += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "lib", "lib64", "sbin"):
        argv += ["--symlink", f"usr/{name}", f"/{name}"]
    return [*argv, *_capabilities(GuestRole.SESSION), "--", *BECOME_AGENT.split(), "/usr/bin/true"]


def listener_argv(role: GuestRole, shm: int) -> list[str]:
    """Guest root listens, so the session's user can end its own connections but never the way in. Its errors go
    nowhere: a file of the host that a guest may write to would grow without bound."""
    listen = f"UNIX-LISTEN:{RUN_FOLDER}/ssh.sock,fork,mode=0666,max-children={MAX_CONNECTIONS},backlog=64"
    hide = HIDE_SSHD if role is GuestRole.SESSION else "true"
    # Segments of System V are in no folder and need no process: nothing that counts memory from outside sees them all.
    bound = f"{{ echo {shm // PAGE} >/proc/sys/kernel/shmall; }} 2>/dev/null"
    return [
        "/bin/sh",
        "-c",
        f"{hide}; {bound}; exec /usr/bin/socat '{listen}' 'EXEC:{enter_sshd(role, SSHD)},nofork' 2>/dev/null",
    ]


def _capabilities(role: GuestRole) -> list[str]:
    return ["--cap-drop", "ALL", *(word for name in kept_capabilities(role) for word in ("--cap-add", name))]
