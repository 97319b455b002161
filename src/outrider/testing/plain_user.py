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
# The interpreter and the clone may live below folders closed to others. Each such folder is covered by an open and
# empty one, in which only these two are shown: both are held at /mnt before anything is covered.
outermost() {
  closed= at=$1
  while [ "$at" != / ]; do
    case $(stat -c %A "$at") in *x|*t) ;; *) closed=$at ;; esac
    at=$(dirname "$at")
  done
  echo "$closed"
}
clone=$PWD
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/python /mnt/clone
mount --rbind "$python" /mnt/python
mount --rbind "$clone" /mnt/clone
over_python=$(outermost "$python") over_clone=$(outermost "$clone")
for covered in $over_python $over_clone; do mount -t tmpfs -o mode=0755 tmpfs "$covered"; done
if [ -n "$over_python" ]; then mkdir -p "$python"; mount --rbind /mnt/python "$python"; fi
if [ -n "$over_clone" ]; then mkdir -p "$clone"; mount --rbind /mnt/clone "$clone"; fi
umount -l /mnt
cd "$clone"
exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$folder" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \\
  setpriv --reuid UID --regid UID --init-groups -- "$@"
""".replace("UID", str(PLAIN_UID))


def as_plain_user(argv: Sequence[str], folder: Path) -> list[str]:
    """The command line that runs `argv` as the user, in the root of the clone. Its home is `folder`, in the clone."""
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
