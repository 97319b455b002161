"""Node and the engine, really run in a sandbox of their own."""

from outrider.cleanup import to_its_end
from outrider.cli.finding import Finding, State
from outrider.fleet.clean import PURPOSE_LABEL
from outrider.fleet.toolbox import OPENCODE
from outrider.model.errors import OutriderError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import TOOLBOX, SandboxHandle, SandboxSpec
from outrider.ports.sandbox import ExecSpec, SandboxProvider

RUN_SECONDS = 30
OUTPUT_LIMIT = 4096
TRIED = {"node": ("node", f"{TOOLBOX}/bin/node"), "engine": ("OpenCode", OPENCODE)}
"""For each part its name and its program in a sandbox."""


async def try_toolbox(provider: SandboxProvider, base: LayerId, toolbox: LayerId) -> list[Finding]:
    """What they say of their version. The sandbox is gone afterwards; one that a kill leaves behind goes with the next
    start of the server."""
    spec = SandboxSpec(
        id=SandboxId(new_id("doctor")), layers=(base,), toolbox=toolbox, labels={PURPOSE_LABEL: "the doctor"}
    )
    try:
        handle = await provider.create(spec)
        try:
            return await _try(provider, handle)
        finally:
            await to_its_end(provider.destroy(handle))
    except OutriderError as error:
        return [Finding(part, State.BROKEN, f"could not be tried: {error.sentence}", error.remedy) for part in TRIED]


async def _try(provider: SandboxProvider, handle: SandboxHandle) -> list[Finding]:
    found = []
    async with await provider.connect(handle) as guest:
        for part, (name, program) in TRIED.items():
            spec = ExecSpec((program, "--version"))
            done = await guest.run(spec, timeout_seconds=RUN_SECONDS, output_limit=OUTPUT_LIMIT)
            said = " ".join(done.output.decode(errors="replace").split())[:200]
            if done.exit_code == 0 and said and not done.timed_out:
                found.append(Finding(part, State.WORKS, f"{name} {said.removeprefix('v')}, run in a sandbox"))
            else:
                why = "no answer in time" if done.timed_out else said or f"exit code {done.exit_code}"
                remedy = "Move the toolbox's layer away and run: outrider setup"
                found.append(Finding(part, State.BROKEN, f"{program} does not run: {why}", remedy))
    return found
