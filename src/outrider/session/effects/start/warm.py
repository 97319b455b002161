"""A warm sandbox from the pool: it gets the session's label, and everything in it that lives goes on."""

from outrider.model.effects import StartSandbox
from outrider.model.errors import SandboxLost
from outrider.model.pool import PoolKey
from outrider.session.actor import Actor
from outrider.session.found import IMAGE_COMMIT_LABEL, SESSION_LABEL, Found
from outrider.session.workbench import Workbench


async def warm(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """One for the session's repository and branch; None where the pool has none. Until it has the session's label it is
    the pool's, and the next server does away with it; from then on it is the session's, and the next server adopts it.
    Raises SandboxError."""
    created, pool, provider = actor.state.created, bench.world.pool, bench.world.provider
    key = PoolKey(repository=created.repository.name, branch=created.base_branch)
    taken = await pool.take(key, created.model, created.created_by.person.email)
    bench.watch.lap("pool")
    if taken is None:
        return None
    labels = {SESSION_LABEL: created.session, IMAGE_COMMIT_LABEL: taken.plan.commit}
    try:
        if taken.model != created.model or actor.state.engine_session is not None:
            await taken.drop_engine()
        await provider.relabel(taken.handle, labels)
    except SandboxLost:
        pool.lost()
        await pool.discard(taken)
        return None
    except BaseException:
        await pool.discard(taken)
        raise
    bench.watch.lap("relabel")
    plan = taken.plan
    return Found(taken.handle, "warm", plan.commit, plan.layers, plan.toolbox, taken)
