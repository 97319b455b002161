"""The command line that starts a sandbox. Pure: what it says is what runs, and a test can read it."""

from outrider.model.sandbox import GUEST_UID, TOOLBOX, GuestRole
from outrider.sandboxes.namespaces.mapped.launch import INFO_FD, SECCOMP_FD
from outrider.sandboxes.namespaces.mapped.mounts import STAGE
from outrider.sandboxes.namespaces.sshd import RUN_FOLDER

TMPFS_BYTES = 64 << 20
"""Size of /run. Files of a sandbox belong on its disk, where they are counted and kept."""

SHM_BYTES = 1 << 30
"""Size of /dev/shm: Chromium and postgres want it. Counted as memory where cgroups are in force."""

MAX_CONNECTIONS = 64
"""Connections to the guest's sshd at one time: ours, and those of people's editors."""

LISTENER_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
"""What the listener needs to become the session's user with nothing left."""

BUILD_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
    "CAP_SYS_CHROOT", "CAP_NET_BIND_SERVICE",
)  # fmt: skip
"""What apt and package scripts need; all of it only over ids of the sandbox itself."""

NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup")
"""Never --unshare-user or --uid: they would nest a map of one id under the full one."""

SSHD = f"/usr/sbin/sshd -i -f {RUN_FOLDER}/sshd_config -E /run/log/sshd.log"

BECOME_AGENT = (
    f"/usr/bin/setpriv --reuid {GUEST_UID} --regid {GUEST_UID} --clear-groups --inh-caps=-all --ambient-caps=-all "
    "--bounding-set=-all --no-new-privs"
)


def sandbox_argv(bwrap: str, role: GuestRole, *, toolbox: bool) -> list[str]:
    """Start the staged root with a listener that runs one sshd for each connection."""
    argv = [bwrap, *NAMESPACES, "--new-session", "--hostname", "outrider", "--clearenv", "--chdir", "/"]
    argv += ["--info-fd", str(INFO_FD), "--seccomp", str(SECCOMP_FD)]
    argv += ["--bind", f"{STAGE}/root", "/", "--proc", "/proc", "--dev", "/dev"]
    argv += ["--perms", "1777", "--size", str(SHM_BYTES), "--tmpfs", "/dev/shm"]
    argv += ["--perms", "0755", "--size", str(TMPFS_BYTES), "--tmpfs", "/run", "--dir", "/run/sshd"]
    argv += ["--perms", "1777", "--dir", "/run/log", "--bind", f"{STAGE}/run", RUN_FOLDER]
    if toolbox:
        argv += ["--ro-bind", f"{STAGE}/toolbox", TOOLBOX]
    return [*argv, *_capabilities(role), "--", *listener_argv(role)]


def probe_argv(bwrap: str) -> list[str]:
    """The same walls around the host's own files, with `true` instead of a listener."""
    argv = [bwrap, *NAMESPACES, "--new-session", "--clearenv", "--chdir", "/", "--seccomp", str(SECCOMP_FD)]
    argv += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "lib", "lib64", "sbin"):
        argv += ["--symlink", f"usr/{name}", f"/{name}"]
    return [*argv, *_capabilities(GuestRole.SESSION), "--", *BECOME_AGENT.split(), "/usr/bin/true"]


def listener_argv(role: GuestRole) -> list[str]:
    """Guest root listens, so the session's user can end its own connections but never the way in. Its errors go
    nowhere: a file of the host that a guest may write to would grow without bound."""
    enter = SSHD if role is GuestRole.BUILD else f"{BECOME_AGENT} {SSHD}"
    listen = f"UNIX-LISTEN:{RUN_FOLDER}/ssh.sock,fork,mode=0666,max-children={MAX_CONNECTIONS},backlog=64"
    return ["/bin/sh", "-c", f"exec /usr/bin/socat '{listen}' 'EXEC:{enter},nofork' 2>/dev/null"]


def _capabilities(role: GuestRole) -> list[str]:
    kept = BUILD_CAPABILITIES if role is GuestRole.BUILD else LISTENER_CAPABILITIES
    return ["--cap-drop", "ALL", *(word for name in kept for word in ("--cap-add", name))]
