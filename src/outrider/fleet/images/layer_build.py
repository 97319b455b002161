"""The making of one layer: a script run as guest root in a clean sandbox on the layers below; what it wrote is kept."""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.commands import Progress
from outrider.model.egress import EgressPolicy
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import GuestRole
from outrider.ports.broker import DoorSpec
from outrider.ports.sandbox import ExecSpec, Guest

BUILD_SECONDS = 1200.0
"""The same as for the base image: what takes longer hangs."""

LOG_BYTES = 256 << 10
LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class LayerBuild:
    """What makes a layer. `layer` is its id, `script` is run by sh with `arguments`. Where it fails, `what` begins the
    sentence (“The stack redis could not be built”) and `remedy` ends it."""

    layer: LayerId
    script: str
    what: str
    remedy: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    say: str = ""
    """What people read when it begins."""
    seconds: float = BUILD_SECONDS
    toolbox: LayerId | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Tars to unpack first, by the folder that they are unpacked below."""


async def build_layer(sandboxes: CleanSandboxes, build: LayerBuild, below: Sequence[LayerId], say: Progress) -> LayerId:
    """Run the script over `below` with egress and keep what it wrote. Raises SandboxError with its last lines."""
    wall_seconds = build.seconds + BUILD_SECONDS
    spec = CleanSpec("an image", tuple(below), build.toolbox, role=GuestRole.BUILD, wall_seconds=wall_seconds)
    async with sandboxes.open(spec, say) as handle:
        async with sandboxes.connect(handle, DoorSpec(owner=build.layer, egress=EgressPolicy())) as guest:
            for folder, tar in build.files.items():
                await guest.put(folder, _chunks(tar))
            await _run(guest, build, sandboxes.broker.guest_environment())
        return await sandboxes.provider.freeze(handle, build.layer)


async def _run(guest: Guest, build: LayerBuild, environment: Mapping[str, str]) -> None:
    argv = ["sh", "-c", build.script, "sh", *build.arguments]
    spec = ExecSpec(argv=argv, cwd="/", env={**environment, **build.environment})
    result = await guest.run(spec, timeout_seconds=build.seconds, output_limit=LOG_BYTES)
    if result.exit_code == 0 and not result.timed_out:
        return
    lines = deque(result.output.decode(errors="replace").strip().splitlines(), maxlen=LAST_LINES)
    why = f"it took longer than {build.seconds:.0f} s" if result.timed_out else f"it ended with {result.exit_code}"
    raise SandboxError(f"{build.what}: {why}: {' / '.join(lines)}", build.remedy)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
