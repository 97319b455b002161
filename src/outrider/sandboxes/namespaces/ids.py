"""Which host ids stand behind a guest's ids. They own nothing else on the machine, so who escapes is nobody."""

import os
import pwd
from dataclasses import asdict, dataclass
from pathlib import Path

from outrider.model.errors import SandboxError

GUEST_IDS = 65536
"""Guest ids 0..65535: all that Debian's packages ever use."""

ROOT_RANGE_START = 0x7000_0000
"""Where root's range starts: just above what systemd hands out to containers (up to 0x6FFF_FFFF), far below the end
of the id space (2**32 - 2) and above every range that `useradd` gives away."""


@dataclass(frozen=True, slots=True)
class HostIds:
    """The first host uid and gid of the range, and whether setuid tools must write the map."""

    uid_start: int
    gid_start: int
    size: int = GUEST_IDS
    tools: bool = False

    def as_request(self) -> dict[str, int | bool]:
        """As the helper program reads it."""
        return asdict(self)


def find_host_ids(subuid: Path = Path("/etc/subuid"), subgid: Path = Path("/etc/subgid")) -> HostIds:
    """The range for whoever we run as: a reserved one for root, the person's subordinate ids otherwise."""
    uid = os.geteuid()
    if uid == 0:
        return HostIds(ROOT_RANGE_START, ROOT_RANGE_START)
    name = _user_name(uid)
    return HostIds(_first_range(subuid, name, uid), _first_range(subgid, name, uid), tools=True)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _first_range(table: Path, name: str, uid: int) -> int:
    try:
        lines = table.read_text().splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        owner, _, numbers = line.partition(":")
        start, _, count = numbers.partition(":")
        if owner in (name, str(uid)) and start.isdigit() and count.isdigit() and int(count) >= GUEST_IDS:
            return int(start)
    raise SandboxError(
        f"The user {name} has no range of {GUEST_IDS} subordinate ids in {table}, which sandboxes run under.",
        f"Run: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}",
    )
