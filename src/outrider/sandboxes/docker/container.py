"""What a sandbox's container is asked to be. Pure: what it says is what runs, and a test can read it."""

import json
from typing import Any

from outrider.model.sandbox import TOOLBOX, GuestRole, SandboxSpec
from outrider.sandboxes.seccomp import CLONE_NEW_FLAGS, REFUSED, SOCKET_FAMILIES
from outrider.sandboxes.sshd import RUN_FOLDER, SshKeys, lay_out_script
from outrider.sandboxes.walls import OPEN_FILES, RUN_BYTES, kept_capabilities, shm_bytes

HOME_LABEL = "outrider.home"
"""Whose container, image or volume it is: several homes may share a daemon."""

SANDBOX_LABEL = "outrider.sandbox"

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97

NANO = 1_000_000_000

READY_SECONDS = 20
"""How long the guest may take to lay out its folders."""


def container_config(spec: SandboxSpec, keys: SshKeys, image: str, *, labels: dict[str, str]) -> dict[str, Any]:
    """The body of `POST /containers/create` but for the runtime and the toolbox's volume."""
    return {
        "Image": image,
        "Entrypoint": [],
        "Cmd": ["/bin/sh", "-c", init_script(spec.role, keys)],
        "User": "0:0",
        "WorkingDir": "/",
        "Hostname": "outrider",
        "Labels": labels,
        "HostConfig": host_config(spec),
    }


def host_config(spec: SandboxSpec) -> dict[str, Any]:
    """The walls and the limits."""
    limits = spec.limits
    return {
        "NetworkMode": "none",
        "IpcMode": "private",
        "CapDrop": ["ALL"],
        "CapAdd": [name.removeprefix("CAP_") for name in kept_capabilities(spec.role)],
        "SecurityOpt": [*_privileges(spec.role), f"seccomp={json.dumps(seccomp_profile())}"],
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": int(limits.cpus * NANO),
        "PidsLimit": limits.processes,
        "Ulimits": [{"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES}],
        "ShmSize": shm_bytes(limits),
        "OomScoreAdj": 500,
        "Tmpfs": {"/run": f"rw,nosuid,nodev,exec,size={RUN_BYTES},mode=0755"},
        "ExtraHosts": ["outrider:127.0.0.1"],
        "Dns": ["127.0.0.1"],
        "LogConfig": {"Type": "none"},
        "RestartPolicy": {"Name": "no"},
    }


def toolbox_mount(volume: str) -> dict[str, Any]:
    """The toolbox, read-only."""
    return {
        "Type": "volume", "Source": volume, "Target": TOOLBOX, "ReadOnly": True, "VolumeOptions": {"NoCopy": True},
    }  # fmt: skip


def init_script(role: GuestRole, keys: SshKeys) -> str:
    """The container's first process: lays out what sshd reads, and then does nothing but take in orphans."""
    return f"{lay_out_script(role, keys)}\nwhile :; do sleep 86400 & wait $!; done"


def ready_argv() -> list[str]:
    """Says so when the first process has laid everything out, and nothing where it does not."""
    tries = READY_SECONDS * 100
    script = f"n=0; until [ -e {RUN_FOLDER}/ready ]; do n=$((n+1)); [ $n -lt {tries} ] || exit 1; sleep 0.01; done"
    return ["/bin/sh", "-c", f"{script}; echo ready"]


def seccomp_profile() -> dict[str, Any]:
    """The filter of `outrider.sandboxes.seccomp` in Docker's own form."""
    new = [
        {"index": 0, "value": flag, "valueTwo": flag, "op": "SCMP_CMP_MASKED_EQ"} for flag in CLONE_NEW_FLAGS.values()
    ]
    families = [{"index": 0, "value": number, "op": "SCMP_CMP_EQ"} for number in range(max(SOCKET_FAMILIES.values()))]
    others = [row for row in families if row["value"] not in SOCKET_FAMILIES.values()]
    others.append({"index": 0, "value": max(SOCKET_FAMILIES.values()), "op": "SCMP_CMP_GT"})
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
            _refuse([*REFUSED], EPERM),
            _refuse(["clone3"], ENOSYS),
            *(_refuse(["clone"], EPERM, argument) for argument in new),
            *(_refuse(["socket"], EAFNOSUPPORT, argument) for argument in others),
        ],
    }


def _refuse(names: list[str], number: int, argument: dict[str, Any] | None = None) -> dict[str, Any]:
    rule = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": number}
    return rule | ({"args": [argument]} if argument else {})


def _privileges(role: GuestRole) -> list[str]:
    """Package scripts of a build may use setuid programs; a session may gain nothing by any."""
    return ["no-new-privileges"] if role is GuestRole.SESSION else []
