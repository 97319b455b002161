"""Keys of uploads: the same key again is the same file."""

from collections import OrderedDict

from outrider.model.attachment import Attachment
from outrider.model.errors import Refused
from outrider.model.person import Person

KEYS_KEPT = 1000


class Uploads:
    """Remembers the newest keys while the server runs. After that the same bytes are still the same file."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Attachment] = OrderedDict()

    def expect_same(self, person: Person, key: str | None, uploaded: Attachment) -> None:
        """Raises Refused where this person has uploaded another file under this key."""
        if key is None:
            return
        known = self._known.setdefault((person.email, key), uploaded)
        if known != uploaded:
            raise Refused("This key was used for another upload.", "Use a new key for a new file.")
        if len(self._known) > KEYS_KEPT:
            self._known.popitem(last=False)
