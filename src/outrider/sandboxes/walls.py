"""What every provider that shares a kernel gives a sandbox's processes, and takes from them: in one place, so that the
walls are the same whoever builds them."""

from outrider.model.sandbox import GUEST_UID, GuestRole, Limits

RUN_BYTES = 64 << 20
"""Size of /run. Files of a sandbox belong on its disk, where they are counted and kept."""

SHM_BYTES = 1 << 30
"""Size of /dev/shm, at most: Chromium and postgres want it."""

OPEN_FILES = 4096
"""Files that one process may have open. It was the kernel's own upper bound for twenty years: what runs on Linux runs
with it; Node, Go and Chromium raise themselves to it. A sandbox with 1,024 processes reaches 4.2 million files so, of
about 225 bytes each: what a smaller machine is not promised is in `docs/guide/security.md`."""

LISTENER_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
"""What the way in needs to become the session's user with nothing left."""

BUILD_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
    "CAP_SYS_CHROOT", "CAP_NET_BIND_SERVICE",
)  # fmt: skip
"""What apt and package scripts need; all of it only over ids of the sandbox itself."""

BECOME_AGENT = (
    f"/usr/bin/setpriv --reuid {GUEST_UID} --regid {GUEST_UID} --clear-groups --inh-caps=-all --ambient-caps=-all "
    "--bounding-set=-all --no-new-privs"
)


HIDE_SSHD = "find /usr/sbin/sshd -perm /044 -exec chmod 0711 {} + 2>/dev/null"
"""The kernel lets nobody trace, or read the memory of, a process whose program its user may run and not read. So what
runs in a session cannot take over the connection by which we hear from it."""


def shm_bytes(limits: Limits) -> int:
    """Size of /dev/shm of a sandbox. What lies in it counts as its memory and stays when its writer is killed: with
    half of the memory at most, the killing of processes always brings the sandbox below its limit."""
    return min(SHM_BYTES, limits.memory_bytes // 2)


def kept_capabilities(role: GuestRole) -> tuple[str, ...]:
    """The capabilities that guest root keeps in a sandbox of this role; the session's user has none in either."""
    return BUILD_CAPABILITIES if role is GuestRole.BUILD else LISTENER_CAPABILITIES


def enter_sshd(role: GuestRole, sshd: str) -> str:
    """The command line that becomes the sandbox's user, and then the sshd of one connection."""
    return sshd if role is GuestRole.BUILD else f"{BECOME_AGENT} {sshd}"
