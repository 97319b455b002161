"""The probe: what the daemon says of itself, and a container that ends with 0."""

import secrets
from typing import Any

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import Isolation, Limits, SandboxSpec
from outrider.sandboxes.docker.container import HOME_LABEL, host_config
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.layers import DockerLayers
from outrider.sandboxes.tars import one_file
from outrider.sandboxes.true_program import true_program

GVISOR = "runsc"
"""The name under which gVisor's own instructions register it as a runtime of the daemon."""

PROBE_LAYER = LayerId("layer-probe")


def runtime_of(info: dict[str, Any], wanted: str | None) -> str | None:
    """The runtime to use: `runsc` where the daemon has it, unless another is wanted. None is the daemon's default."""
    has_gvisor = GVISOR in (info.get("Runtimes") or {})
    if wanted == GVISOR and not has_gvisor:
        raise SandboxError(
            f"This Docker has no runtime {GVISOR}.", "Install gVisor, then run: sudo runsc install; restart Docker."
        )
    return GVISOR if has_gvisor and wanted in (None, GVISOR) else None


def isolation_of(runtime: str | None) -> Isolation:
    """How strong the wall is."""
    return Isolation.USER_KERNEL if runtime == GVISOR else Isolation.SHARED_KERNEL


def whose_ids(info: dict[str, Any]) -> str:
    """Who a guest is on the machine, for whoever breaks out."""
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    mapped = any(option.startswith(("name=userns", "name=rootless")) for option in options)
    if mapped:
        return "run as ids that own nothing"
    return "run as this machine's own ids: give the daemon userns-remap to make them nobody"


def require_limits(info: dict[str, Any]) -> None:
    """Raise SandboxError where the daemon cannot keep memory, processes and CPU within limits."""
    needed = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "CPU"}
    lacking = [word for name, word in needed.items() if not info.get(name)]
    if lacking:
        raise SandboxError(
            f"This Docker cannot limit {' and '.join(lacking)}.",
            "Give its daemon control groups; rootless: Delegate=yes.",
        )


async def run_true(layers: DockerLayers, api: DockerApi, runtime: str | None) -> None:
    """Run a program that ends with 0 behind the walls of a session. Raises SandboxError."""
    if not await layers.has_layer(PROBE_LAYER):
        layers.state.prepare()
        tar = layers.state.path / "probe.tar"
        tar.write_bytes(one_file("true", true_program(), 0o755))
        await layers.add_layer(PROBE_LAYER, tar)
    image = await layers.images.compose([PROBE_LAYER])
    spec = SandboxSpec(id=SandboxId("sb-probe"), layers=(PROBE_LAYER,), limits=Limits(memory_bytes=64 << 20))
    hosts = host_config(spec) | ({"Runtime": runtime} if runtime else {})
    labels = {HOME_LABEL: layers.state.home()}
    body = {"Image": image, "Cmd": ["/true"], "User": "0:0", "Labels": labels, "HostConfig": hosts}
    async with api.container(f"outrider-{layers.state.home()}-probe-{secrets.token_hex(4)}", body) as made:
        await api.post(f"/containers/{made}/start")
        code = (await api.post(f"/containers/{made}/wait"))["StatusCode"]
    if code != 0:
        raise SandboxError(f"A bare container ended with {code}.", "See the daemon's log.")
