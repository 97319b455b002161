"""What keeps a layer alive.

1. A sandbox that exists, running or stopped, a session's or the pool's or a build's, is made from it.
2. An image of a repository that is kept has it, or it is the toolbox of one.
3. The log of a session names it: a snapshot that can still be gone back to is it, or stands on it.
4. It is in force: the newest generation of our base, today's toolbox, the images of registries that are asked for here.
5. Another that is kept cannot be built upon without it.
6. It was used lately: claimed by whoever is about to make a sandbox, or one of the above was true until lately.

What no rule keeps can only be wanted by chance, and whoever wants it makes it again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from outrider.fleet.images.foreign_base import users_layer
from outrider.model.ids import LayerId
from outrider.model.sandbox import LayerInfo

COLLECTED = (
    "base-", "clients-", "door-step-", "foreign-", "packages-", "repo-", "setup-", "stack-", "step-", "toolbox-",
)  # fmt: skip
"""How the ids of layers begin that are collected here. Snapshots go with their blobs, by the logs of sessions alone."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Who needs which layers, whether they exist or not."""

    images: Collection[LayerId] = ()
    sessions: Collection[LayerId] = ()
    in_force: Collection[LayerId] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a layer stays after its last use: that of an image of a repository, which nothing but a kept image is
    started from, and any other, which the next session or proof may want."""

    images: timedelta = timedelta(0)
    others: timedelta = timedelta(days=7)

    def of(self, layer: LayerId) -> timedelta:
        """With this one."""
        return self.images if layer.startswith("repo-") else self.others


def needed(layers: Collection[LayerInfo], needs: Needs) -> set[LayerId]:
    """The layers that rules 1 to 5 keep, of those that there are."""
    return _kept(layers, needs, ())


def removable(
    layers: Collection[LayerInfo], needs: Needs, uses: Mapping[LayerId, datetime], now: datetime, patience: Patience
) -> set[LayerId]:
    """The layers that no rule keeps. `uses` says when each was last used; where nothing is known of one, it is new."""
    lately = [info.id for info in layers if info.id not in uses or now - uses[info.id] < patience.of(info.id)]
    return {info.id for info in layers if info.id.startswith(COLLECTED)} - _kept(layers, needs, lately)


def users_last(layer: LayerId) -> tuple[bool, str]:
    """The order in which to delete: an image is never there without its users."""
    return layer.startswith("foreign-users-"), layer


def _kept(layers: Collection[LayerInfo], needs: Needs, lately: Collection[LayerId]) -> set[LayerId]:
    used = {info.id for info in layers if info.used}
    kept = used | {*needs.images, *needs.sessions, *needs.in_force, *lately}
    kept |= {users_layer(layer) for layer in kept}
    return {info.id for info in layers if info.id in kept}
