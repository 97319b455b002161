"""Run a command as a plain user with subordinate ids, when the tests themselves run as root.

The user exists in a mount namespace of the command only: nothing of the machine is changed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

PLAIN_UID = 4242
SUBORDINATE_IDS = "scratch:700000:65536"

SCRIPT = """
set -eu
folder=$1 python=$2; shift 2
for name in passwd group subuid subgid; do mount --bind "$folder/$name" "/etc/$name"; done
# The interpreter may live below a folder closed to others: an open one is put in the place of the outermost of those.
closed=$python
while [ "$closed" != / ]; do
  case $(stat -c %A "$closed") in *x|*t) ;; *) outermost=$closed ;; esac
  closed=$(dirname "$closed")
done
if [ -n "${outermost:-}" ]; then
  mount --bind "$python" /mnt
  mount -t tmpfs -o mode=0755 tmpfs "$outermost"
  mkdir -p "$python"
  mount --bind /mnt "$python"
  umount /mnt
fi
exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$folder" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \\
  setpriv --reuid UID --regid UID --init-groups -- "$@"
""".replace("UID", str(PLAIN_UID))


def as_plain_user(argv: Sequence[str], folder: Path) -> list[str]:
    """The command line that runs `argv` as the user. Its home becomes `folder`, which others must be able to reach."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for name, row in (
        ("passwd", f"scratch:x:{PLAIN_UID}:{PLAIN_UID}::{folder}:/bin/sh"),
        ("group", f"scratch:x:{PLAIN_UID}:"),
    ):
        (folder / name).write_text(f"{Path('/etc', name).read_text()}{row}\n")
    for name in ("subuid", "subgid"):
        (folder / name).write_text(f"{SUBORDINATE_IDS}\n")
    return [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        SCRIPT,
        "-",
        str(folder),
        sys.base_prefix,
        *argv,
    ]
