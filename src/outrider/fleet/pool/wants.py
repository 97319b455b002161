"""What the pool is to have: a plan and a target for each repository that somebody uses or whose recipe says so."""

from collections.abc import Iterable, Mapping

from outrider.fleet.pool.book import Want
from outrider.fleet.pool.demand import Demand
from outrider.fleet.pool.plan import WarmPlan, WarmPlans
from outrider.fleet.pool.tally import Tally
from outrider.model.errors import OutriderError
from outrider.model.pool import PoolKey

PLANS_SECONDS = 10.0
"""How often it is looked whether there are newer images."""


class Wants:
    """Plans as they were last seen, and targets as of now."""

    def __init__(self, plans: WarmPlans, tally: Tally, target: int | None) -> None:
        self.demand = Demand()
        self.now: Mapping[PoolKey, Want] = {}
        self._plans = plans
        self._tally = tally
        self._target = target
        self._known: dict[PoolKey, WarmPlan | None] = {}
        self._looked_at = -PLANS_SECONDS

    async def refresh(self, now: float, present: Iterable[PoolKey]) -> None:
        """Look for newer images from time to time, and set the targets."""
        if now - self._looked_at >= PLANS_SECONDS:
            self._looked_at = now
            keys = dict.fromkeys([*await self._plans.fixed(), *self.demand.keys(now), *present])
            self._known = {key: await self._look(key) for key in keys}
        self.now = {key: Want(plan.make, self._target_of(plan, now)) for key, plan in self._known.items() if plan}

    async def plan(self, key: PoolKey) -> WarmPlan | None:
        """The plan as it was last seen; looked for where it was not."""
        if self._known.get(key) is None:
            self._known[key] = await self._look(key)
        return self._known[key]

    def _target_of(self, plan: WarmPlan, now: float) -> int:
        fixed = self._target if plan.target is None else plan.target
        return self.demand.target(plan.key, now, self._tally.refill_seconds) if fixed is None else fixed

    async def _look(self, key: PoolKey) -> WarmPlan | None:
        try:
            return await self._plans.plan(key)
        except OutriderError as error:
            self._tally.could_not(f"{key}: {error.sentence}")
            return None
