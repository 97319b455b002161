"""What happens to marks of what is not synced: in the background, at the end of a server, after a loss of power."""

import asyncio
import logging
from collections.abc import Collection

from outrider.model.ids import SandboxId
from outrider.sandboxes.namespaces.mapped_call import MappedCalls
from outrider.sandboxes.namespaces.records import StateFolder
from outrider.sandboxes.namespaces.unsynced import Mark, sync_finished

logger = logging.getLogger(__name__)


async def settle(state: StateFolder, launching: Collection[SandboxId]) -> None:
    """Sync the layers that are whole, and the sandboxes that neither run nor are about to. What cannot be synced is
    tried again the next time."""

    def finished(mark: Mark) -> bool:
        if mark.kind == "layer":
            return state.layer(mark.name).is_dir()
        return mark.name not in launching and not state.running(SandboxId(mark.name))

    try:
        await asyncio.to_thread(sync_finished, state.unsynced, state.guest, finished)
    except OSError as error:
        logger.error("%s could not be synced: %s", state.guest, error)


async def drop_suspects(state: StateFolder, calls: MappedCalls) -> None:
    """After a loss of power: a layer that may have been cut off is made or fetched again. A sandbox that stands on such
    a layer, or was written to itself, stays until whoever it belongs to has heard of it."""
    for layer, boot in state.unsynced.suspects("layer").items():
        for record in state.records():
            if layer in (*record.spec.layers, record.spec.toolbox):
                state.unsynced.doubt("box", record.spec.id, boot)
        await calls("delete", path=f"layers/{layer}")
        state.unsynced.forget("layer", layer)
        logger.warning("layer %s was not on the disk when the machine stopped: deleted", layer)
