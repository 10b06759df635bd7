"""What the machine has, also where a container leaves less of it."""

from __future__ import annotations

import os

import psutil
import pytest

from penult import machine


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A tree of control groups in which this process is in /outer/inner of each controller."""
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)

    def write(lines, files):
        (tmp_path / "own").write_text(lines)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text + "\n")

    return write


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 8, id="no quota"),
        pytest.param({"outer/inner/cpu.max": "max 100000"}, 8, id="a quota without limit"),
        pytest.param({"outer/inner/cpu.max": "200000 100000"}, 2, id="two cores"),
        pytest.param({"outer/inner/cpu.max": "150000 100000"}, 2, id="one and a half"),
        pytest.param({"outer/inner/cpu.max": "5000 100000"}, 1, id="a twentieth"),
        pytest.param({"outer/inner/cpu.max": "1600000 100000"}, 8, id="more than there are"),
        pytest.param(
            {"outer/inner/cpu.max": "max 100000", "outer/cpu.max": "300000 100000"}, 3, id="outside"
        ),
        pytest.param({"cpu.max": "400000 100000"}, 4, id="its own group seen as the root"),
        pytest.param({"outer/inner/cpu.max": "nonsense"}, 8, id="nonsense"),
        pytest.param({"outer/inner/cpu.max": "100000 0"}, 8, id="a period of 0"),
    ],
)
def test_cores_are_those_that_the_quota_of_a_container_leaves(group, files, expected):
    group("0::/outer/inner", files)
    assert machine.cores() == expected


@pytest.mark.parametrize(
    ("quota", "expected"),
    [pytest.param("250000", 3, id="two and a half"), pytest.param("-1", 8, id="none")],
)
def test_cores_are_counted_in_control_groups_of_version_1_too(group, quota, expected):
    files = {"cpu/outer/cpu.cfs_quota_us": quota, "cpu/outer/cpu.cfs_period_us": "100000"}
    group("4:memory:/other\n3:cpu,cpuacct:/outer\n0::/", files)
    assert machine.cores() == expected


def test_without_control_groups_the_affinity_counts(group):
    assert machine.cores() == 8


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        pytest.param("0::/outer", "outer/memory.max", id="version 2"),
        pytest.param("4:memory:/outer", "memory/outer/memory.limit_in_bytes", id="version 1"),
    ],
)
def test_free_memory_is_what_a_container_leaves(group, lines, name):
    used = psutil.Process().memory_info().rss
    group(lines, {name: str(used + 50_000_000)})
    assert 0 < machine.free_memory() < 100_000_000


def test_a_container_without_a_limit_leaves_what_the_machine_has(group):
    group("0::/", {"memory.max": "max"})
    assert machine.free_memory() > 100_000_000
