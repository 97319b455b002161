"""What counts as memory of a sandbox where no control group counts."""

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.sandboxes.namespaces.mapped import nameless
from outrider.sandboxes.namespaces.memory import Census, Use, machine_shared, use_of
from outrider.sandboxes.namespaces.processes import ProcessIdentity, identify, kill

MB = 1 << 20
NOBODY = ProcessIdentity(1 << 22, 0)

LEADER_GONE = """
import ctypes, threading
def eat():
    data = bytearray(b"x") * (32 << 20)
    print("eaten", flush=True)
    threading.Event().wait()
threading.Thread(target=eat).start()
ctypes.CDLL(None).syscall(60 if %r == "x86_64" else 93, 0)
"""
TABLE_OF_A_THREAD = """
import ctypes, os, threading
def hide():
    ctypes.CDLL(None).unshare(0x400)
    os.write(os.memfd_create("x"), b"x" * (4 << 20))
    print("hidden", flush=True)
    threading.Event().wait()
threading.Thread(target=hide).start()
"""


def census(*uses: Use, in_folders: int = 0) -> Census:
    """Of processes with the pids 1, 2, …"""
    return Census(NOBODY, dict(enumerate(uses, 1)), in_folders)


def test_what_is_shared_counts_once_and_what_is_nameless_counts_by_file() -> None:
    backend = Use(private=MB, shared=128 * MB)
    assert census(*[backend] * 20).total({}) == (20 + 128) * MB
    two = census(Use(MB, 0), Use(MB, 0), in_folders=MB)
    assert two.total({1: {1: 5 * MB, 2: 6 * MB}, 2: {2: 6 * MB}, 3: {7: 900 * MB}}) == (2 + 11 + 1) * MB
    assert two.largest({2: {2: 6 * MB}}) == (7 * MB, 2)
    assert two.at_most(40 * MB) == 42 * MB


def test_shared_memory_of_a_process_is_seen_and_bounded_by_the_machines() -> None:
    before = use_of(os.getpid())
    shared = mmap.mmap(-1, 8 * MB)
    shared.write(b"x" * (8 * MB))
    now = use_of(os.getpid())
    assert now.shared - before.shared >= 8 * MB
    assert machine_shared() >= 7 * MB
    shared.close()


def test_a_process_that_has_gone_uses_nothing() -> None:
    assert use_of(1 << 22) == Use()


def test_a_process_whose_first_thread_has_ended_is_counted_and_killed() -> None:
    script = LEADER_GONE % os.uname().machine
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"eaten\n"
        while "Z (zombie)" not in Path(f"/proc/{process.pid}/status").read_text():
            pass
        assert use_of(process.pid).private >= 32 * MB
        found = identify(process.pid)
        assert found is not None
        assert found.alive()
        kill(found)
        assert process.wait(10) == -9


def test_files_without_a_name_are_found_in_the_table_of_any_thread() -> None:
    with subprocess.Popen([sys.executable, "-c", TABLE_OF_A_THREAD], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hidden\n"
        looked = nameless.look([process.pid], 1000, nameless.file_system())
        process.kill()
    assert [size for _, size in looked[process.pid]] == [4 * MB]


@pytest.mark.parametrize(("budget", "reached"), [(1, 1), (10_000, 3)])
def test_a_look_ends_with_its_budget_but_reaches_one(budget: int, reached: int) -> None:
    pids = [os.getpid(), os.getppid(), 1 << 22]
    assert list(nameless.look(pids, budget, nameless.file_system())) == pids[:reached]
