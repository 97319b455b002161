"""Control groups of both versions, against trees of plain files. Version 2 has run on no real kernel yet."""

from pathlib import Path

from outrider.model.sandbox import Limits
from outrider.sandboxes.namespaces.cgroups import find_cgroups, out_of_memory_kills

LIMITS = Limits(cpus=1.5, memory_bytes=1 << 30, processes=77)


def v1_tree(root: Path) -> Path:
    for name in ("memory", "pids", "cpu"):
        (root / name / "ours").mkdir(parents=True)
    own = root / "own"
    own.write_text("3:pids:/ours\n2:memory:/ours\n1:cpu,cpuacct:/ours\n0::/\n")
    return own


def v2_tree(root: Path, controllers: str) -> Path:
    (root / "ours").mkdir()
    (root / "ours" / "cgroup.controllers").write_text(controllers)
    own = root / "own"
    own.write_text("0::/ours\n")
    return own


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
    found = find_cgroups(tmp_path, v2_tree(tmp_path, "cpuset cpu io memory pids"))
    assert found is not None
    assert (tmp_path / "ours" / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    (group,) = found.create("box", LIMITS)
    written = {file.name: file.read_text() for file in group.iterdir()}
    assert written == {
        "memory.max": "1073741824", "memory.swap.max": "0", "pids.max": "77", "cpu.max": "150000 100000",
    }  # fmt: skip


def test_without_the_controllers_there_are_none(tmp_path: Path) -> None:
    assert find_cgroups(tmp_path, v2_tree(tmp_path, "hugetlb")) is None


def test_kills_for_memory_are_counted_in_both_versions(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for group, file, text in ((old, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
                              (new, "memory.events", "low 0\noom 5\noom_kill 4\n")):  # fmt: skip
        group.mkdir()
        (group / file).write_text(text)
    assert out_of_memory_kills((tmp_path / "pids", old)) == 3
    assert out_of_memory_kills((new,)) == 4
    assert out_of_memory_kills(()) == 0
