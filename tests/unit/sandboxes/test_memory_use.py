"""What counts as memory of a sandbox where no control group counts."""

import mmap
import os

from outrider.sandboxes.namespaces.memory import Use, total, use_of

MB = 1 << 20
NOBODY = 0
"""No init: there is no process of that number, so no folder either."""


def test_what_is_shared_counts_once_and_what_is_nameless_counts_by_file() -> None:
    backend = Use(private=MB, shared=128 * MB)
    assert total(NOBODY, [backend] * 20) == (20 + 128) * MB
    assert total(NOBODY, [Use(MB, 0, {1: 5 * MB, 2: 6 * MB}), Use(MB, 0, {2: 6 * MB})]) == (2 + 11) * MB


def test_shared_and_nameless_memory_of_a_process_is_seen() -> None:
    before = use_of(os.getpid())
    shared, file = mmap.mmap(-1, 8 * MB), os.memfd_create("trial")
    shared.write(b"x" * (8 * MB))
    os.write(file, b"x" * (4 * MB))
    now = use_of(os.getpid())
    os.close(file)
    shared.close()
    assert now.shared - before.shared >= 8 * MB
    assert [size for inode, size in now.files.items() if inode not in before.files] == [4 * MB]


def test_a_process_that_has_gone_uses_nothing() -> None:
    assert use_of(1 << 22).size == 0
