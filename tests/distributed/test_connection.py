"""Which cluster is connected to, with what, and what is said where there is none to be had."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from penult.distributed import connection
from penult.distributed.connection import connected
from penult.distributed.options import RayOptions
from penult.errors import ClusterError, UsageError

MIB = 1 << 20


@pytest.fixture
def ray(monkeypatch):
    """A module `ray` that notes what it is asked: a cluster of two machines, on one of 2 cores."""
    stand_in = ModuleType("ray")
    stand_in.asked, stand_in.ends, stand_in.fault = {}, [], None
    stand_in.machines = [{"CPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}]

    def init(**how):
        if stand_in.fault is not None:
            raise stand_in.fault
        stand_in.asked = how
        stand_in.mode = os.environ.get("RAY_AUTH_MODE")

    stand_in.init = init
    stand_in.is_initialized = lambda: False
    stand_in.shutdown = lambda: stand_in.ends.append(True)
    stand_in.get_runtime_context = lambda: SimpleNamespace(gcs_address="head:6379")
    stand_in.nodes = lambda: [
        *({"Alive": True, "Resources": machine} for machine in stand_in.machines),
        {"Alive": False, "Resources": {"CPU": 64.0}},
    ]
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    monkeypatch.setitem(sys.modules, "ray._private.worker", None)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setattr(connection, "prepare", lambda: None)
    monkeypatch.setattr(connection, "require_ray", lambda: None)
    monkeypatch.setattr(connection, "cores", lambda: 2)
    monkeypatch.setattr(connection, "running", lambda: None)
    monkeypatch.setattr("penult.distributed.address._read_again", lambda: None)
    return stand_in


def test_where_no_cluster_is_found_one_is_started_that_has_room_for_the_listing(ray, caplog):
    options = RayOptions(address="auto", least=3, most=3, cpus=2)
    caplog.set_level(logging.INFO, "penult")

    with connected(options, shared_bytes=MIB) as found:
        assert (found.is_ours, found.is_local) == (True, True)
        found.say_where(1, 1)
        assert not ray.ends
    assert caplog.messages == [
        "on a cluster of Ray started here, as none was found running: 1 worker of 2 cores"
    ]

    assert (ray.asked["address"], ray.asked["num_cpus"]) == ("local", 6)
    assert ray.asked["object_store_memory"] == 130 * MIB
    assert len(ray.ends) == 1


def test_the_cluster_that_runs_here_is_connected_to_with_its_token_and_let_go_of(ray, monkeypatch):
    monkeypatch.setattr(connection, "running", lambda: "10.0.0.1:6379")
    monkeypatch.setattr(connection, "require_answer", lambda _address: True)

    with connected(RayOptions(address="auto")) as found:
        assert not found.is_local
        assert found.workers == (1, None), "as many as the cluster comes to have"

    assert ray.asked["address"] == "10.0.0.1:6379"
    assert "num_cpus" not in ray.asked
    assert ray.mode == "token"
    assert "RAY_AUTH_MODE" not in os.environ
    assert len(ray.ends) == 1


def test_a_cluster_whose_head_is_gone_is_not_asked_to_let_go(ray):
    with connected(RayOptions()) as found:
        found.is_lost = True
    assert not ray.ends


def test_a_cluster_that_a_program_has_connected_to_stays_connected(ray):
    ray.is_initialized = lambda: True
    with connected(RayOptions()) as found:
        assert not found.is_ours
    assert not ray.asked
    assert not ray.ends


def test_what_ray_says_of_a_cluster_that_it_cannot_have_is_one_line(ray, monkeypatch):
    monkeypatch.setattr(connection, "require_answer", lambda _address: False)
    ray.fault = RuntimeError("the versions differ\nat gcs.cc:17")

    with pytest.raises(ClusterError) as caught, connected(RayOptions()):
        pass
    assert str(caught.value) == "Ray cannot be started here: the versions differ"
    with pytest.raises(ClusterError) as caught, connected(RayOptions(address="h:6379")):
        pass
    assert str(caught.value) == "the cluster h:6379 cannot be reached: the versions differ"


def test_there_are_as_many_workers_as_find_room_on_machines_that_run(ray):
    def workers(**options):
        with connected(RayOptions(**options)) as found:
            return found.workers

    assert workers() == (6, 6), "not on the machine that is gone"
    assert workers(cpus=3) == (1, 1)
    assert workers(gpus=0.5) == (2, 2)
    assert workers(least=2, most=None) == (2, None)


def test_a_worker_larger_than_every_machine_is_refused_here_and_waited_for_elsewhere(
    ray, monkeypatch, caplog
):
    monkeypatch.setattr(connection, "require_answer", lambda _address: False)
    told = (
        "no machine of the cluster has 3 cores and 1 GPU for a worker "
        "(the largest has 4 cores and 0 GPU); "
    )

    with pytest.raises(UsageError) as caught, connected(RayOptions(cpus=3, gpus=1.0)):
        pass
    assert str(caught.value) == told + "give ray_cpus=N and ray_gpus=N that it has"
    assert len(ray.ends) == 1
    with connected(RayOptions(address="h:6379", cpus=3, gpus=1.0)) as found:
        assert found.workers == (1, None)
    with connected(RayOptions(address="h:6379", cpus=8)):
        pass
    assert caplog.messages == [
        told + "waiting for one that has",
        "no machine of the cluster has 8 cores for a worker (the largest has 4 cores); waiting for "
        "one that has",
    ]
