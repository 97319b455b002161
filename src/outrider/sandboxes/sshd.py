"""The guest's end of SSH: its keys, made fresh for each sandbox, and its configuration."""

import shlex
from dataclasses import dataclass

import asyncssh

from outrider.model.sandbox import TOOLBOX, GuestRole, Limits
from outrider.sandboxes.walls import HIDE_SSHD, enter_sshd

RUN_FOLDER = "/run/outrider"
"""Where the guest finds its sshd's files. Only guest root may write there."""

GUEST_PATH = f"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:{TOOLBOX}/bin"
"""The toolbox comes last: a repository's own node or npm wins."""

SSHD = f"/usr/sbin/sshd -i -f {RUN_FOLDER}/sshd_config -E /run/log/sshd.log"
"""The sshd of one connection, on its stdin and stdout."""

CONFIG = f"""\
HostKey {RUN_FOLDER}/host_key
AuthorizedKeysFile {RUN_FOLDER}/authorized_keys
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
UseDNS no
PidFile none
LoginGraceTime 20
MaxSessions 512
MaxStartups 64
Subsystem sftp internal-sftp
AllowTcpForwarding yes
GatewayPorts no
AllowAgentForwarding no
X11Forwarding no
PermitTunnel no
PermitUserRC no
PermitUserEnvironment no
PrintMotd no
PrintLastLog no
Compression no
SetEnv LANG=C.UTF-8 SHELL=/bin/bash PATH={GUEST_PATH}
"""


@dataclass(frozen=True, slots=True)
class SshKeys:
    """What both ends need. The user key stays with us; the guest's user can read the host key, and may lie with it."""

    user_private: str
    user_public: str
    host_private: str
    host_public: str


def new_keys() -> SshKeys:
    """Fresh Ed25519 keys: about 0.2 ms."""
    user, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    return SshKeys(
        user_private=user.export_private_key().decode(),
        user_public=user.export_public_key().decode(),
        host_private=host.export_private_key().decode(),
        host_public=host.export_public_key().decode(),
    )


def run_files(keys: SshKeys, role: GuestRole) -> dict[str, tuple[str, int]]:
    """Name, content and mode of what is laid into the run folder, all of it guest root's. sshd minds the mode of a host
    key only where it owns it, and the session's user must be able to read it."""
    return {
        "sshd_config": (CONFIG, 0o644),
        "authorized_keys": (keys.user_public, 0o644),
        "host_key": (keys.host_private, 0o600 if role is GuestRole.BUILD else 0o644),
    }


def lay_out_script(role: GuestRole, keys: SshKeys) -> str:
    """What guest root runs once after a start, where the run folder is not laid out from outside."""
    lines = ["set -eu", "umask 022", f"mkdir -p /run/sshd {RUN_FOLDER}", "mkdir -p -m 1777 /run/log"]
    for name, (text, mode) in run_files(keys, role).items():
        lines.append(f"printf %s {shlex.quote(text)} >{RUN_FOLDER}/{name}")
        lines.append(f"chmod {mode:o} {RUN_FOLDER}/{name}")
    return "\n".join([*lines, f": >{RUN_FOLDER}/ready"])


def sshd_argv(role: GuestRole, limits: Limits) -> list[str]:
    """The sshd of one connection, as the sandbox's user, started by guest root on the stream of a command. No file of
    its may be larger than its disk."""
    limited = f"/usr/bin/prlimit --core=0 --fsize={limits.disk_bytes} --"
    hide = HIDE_SSHD if role is GuestRole.SESSION else "true"
    return ["/bin/sh", "-c", f"{hide}; exec {limited} {enter_sshd(role, SSHD)}"]
