"""Control groups of both versions, against trees of plain files; those of version 2 keep the kernel's rules."""

import os
from pathlib import Path

from outrider.model.sandbox import Limits
from outrider.sandboxes.namespaces.cgroups import LEAF, find_cgroups, out_of_memory_kills, remove, weigh
from outrider.testing.fake_cgroup2 import Cgroup2, make_tree

LIMITS = Limits(cpus=1.5, memory_bytes=1 << 30, processes=77)


def v1_tree(root: Path) -> Path:
    for name in ("memory", "pids", "cpu"):
        (root / name / "ours").mkdir(parents=True)
    own = root / "own"
    own.write_text("3:pids:/ours\n2:memory:/ours\n1:cpu,cpuacct:/ours\n0::/\n")
    return own


def v2_tree(root: Path, controllers: str = "cpuset cpu io memory pids", *, holding: str = "") -> tuple[Cgroup2, Path]:
    """A tree with our delegated group, which holds these processes, and the file that says where we are."""
    tree = make_tree(root, controllers)
    (tree / "ours").mkdir()
    if holding:
        (tree / "ours" / "cgroup.procs").write_text(holding)
    own = root.parent / "own"
    own.write_text("0::/ours\n")
    return tree, own


def test_version_1_gets_one_group_a_controller(tmp_path: Path) -> None:
    found = find_cgroups(tmp_path, v1_tree(tmp_path))
    assert found is not None
    groups = found.create("box", LIMITS)
    assert {str(group.relative_to(tmp_path)) for group in groups} == {
        "memory/ours/outrider-box", "pids/ours/outrider-box", "cpu/ours/outrider-box",
    }  # fmt: skip
    written = {file.name: file.read_text() for group in groups for file in group.iterdir()}
    assert written == {
        "memory.limit_in_bytes": "1073741824", "pids.max": "77",
        "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "150000",
    }  # fmt: skip


def test_version_2_gets_one_group(tmp_path: Path) -> None:
    (root := tmp_path / "tree").mkdir()
    tree, own = v2_tree(root)
    found = find_cgroups(tree, own)
    assert found is not None
    (group,) = found.create("box", LIMITS)
    written = {name: (group / name).read_text() for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max")}
    assert written == {
        "memory.max": "1073741824", "memory.swap.max": "0", "pids.max": "77", "cpu.max": "150000 100000",
    }  # fmt: skip
    weigh((group,), background=True)
    assert (group / "cpu.weight").read_text() == "25"
    weigh((group,), background=False)
    assert (group / "cpu.weight").read_text() == "100"
    (group / "cgroup.procs").write_text("77")
    assert out_of_memory_kills((group,)) == 0
    remove((group,))
    assert group.is_dir()
    Path(group, "cgroup.procs").write_bytes(b"")
    remove((group,))
    assert not group.exists()


def test_a_server_alone_in_a_delegated_group_moves_into_a_leaf(tmp_path: Path) -> None:
    (root := tmp_path / "tree").mkdir()
    tree, own = v2_tree(root, holding=str(os.getpid()))
    assert find_cgroups(tree, own) is not None
    assert (tree / "ours" / LEAF / "cgroup.procs").read_text().split() == [str(os.getpid())]
    own.write_text(f"0::/ours/{LEAF}\n")
    found = find_cgroups(tree, own)
    assert found is not None
    assert found.create("box", LIMITS) == (tree / "ours" / "outrider-box",)


def test_processes_of_others_are_never_moved(tmp_path: Path) -> None:
    (root := tmp_path / "tree").mkdir()
    tree, own = v2_tree(root, holding="1")
    (tree / "ours" / "cgroup.procs").write_text(str(os.getpid()))
    assert find_cgroups(tree, own) is None
    assert [path.name for path in (tree / "ours").iterdir() if path.is_dir()] == []


def test_without_the_controllers_there_are_none(tmp_path: Path) -> None:
    (root := tmp_path / "tree").mkdir()
    tree, own = v2_tree(root, "hugetlb")
    assert find_cgroups(tree, own) is None


def test_kills_for_memory_are_counted_in_both_versions(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for group, file, text in ((old, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
                              (new, "memory.events", "low 0\noom 5\noom_kill 4\n")):  # fmt: skip
        group.mkdir()
        (group / file).write_text(text)
    assert out_of_memory_kills((tmp_path / "pids", old)) == 3
    assert out_of_memory_kills((new,)) == 4
    assert out_of_memory_kills(()) == 0
