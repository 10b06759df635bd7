"""What may be asked of a cluster, and what is said of one that cannot be had."""

from __future__ import annotations

import socket
import threading

import pytest

import penult
from penult import extras
from penult.distributed import address
from penult.distributed.options import RayOptions
from penult.errors import ClusterError, MissingExtraError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec


def test_without_ray_there_is_no_cluster_and_its_options_are_refused():
    assert RayOptions.of(None) is RayOptions.of(False) is None
    for options in ({"workers": 2}, {"cpus": 2}, {"gpus": 1.0}):
        with pytest.raises(UsageError, match="is for a run on a cluster; give ray=True as well"):
            RayOptions.of(None, **options)


def test_an_address_is_given_or_in_the_environment_or_this_machine_is_meant(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert RayOptions.of(True).address == RayOptions.of("auto").address == "auto"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert RayOptions.of(True).address == "10.0.0.1:6379"
    assert RayOptions.of("10.0.0.2:6379").address == "10.0.0.2:6379"
    for wrong in ("10.0.0.1", "photos"):
        with pytest.raises(UsageError, match="HOST:PORT of a running cluster"):
            RayOptions.of(wrong)
    with pytest.raises(UsageError, match="Ray Client"):
        RayOptions.of("ray://10.0.0.1:10001")


@pytest.mark.parametrize("port", ["0", "65536", "٣", "６３７９"])
def test_a_port_is_a_number_in_ascii_wherever_the_address_comes_from(monkeypatch, port):
    with pytest.raises(UsageError, match=rf"^ray='h:{port}' was given, and {port} is no port; "):
        RayOptions.of(f"h:{port}")
    monkeypatch.setenv("RAY_ADDRESS", f"h:{port}")
    with pytest.raises(UsageError, match=rf"^RAY_ADDRESS=h:{port} was given, and {port} is no "):
        RayOptions.of(True)
    monkeypatch.setenv("RAY_ADDRESS", "photos")
    with pytest.raises(UsageError, match=r"^RAY_ADDRESS=photos was given; allowed: HOST:PORT"):
        RayOptions.of("auto")


def test_workers_are_a_number_or_a_range():
    def workers(given):
        options = RayOptions.of(True, workers=given)
        return options.least, options.most

    assert workers(4) == workers("4") == (4, 4)
    assert workers("2:16") == (2, 16)
    assert workers("2:") == (2, None)
    assert workers(None) == (None, None)
    for wrong in (0, "0", "4:2", "many", "-1"):
        with pytest.raises(UsageError, match="was given; allowed: a number of workers"):
            workers(wrong)


def test_a_worker_has_a_gpu_where_the_device_is_one():
    spec = ExtractorSpec(engine=EngineOptions(device="auto"))

    assert RayOptions.of(True).on_worker(spec).engine.device == "cpu"
    assert RayOptions.of(True, gpus=0.5).on_worker(spec).engine.device == "cuda"
    assert RayOptions.of(True, device="cuda").gpus == 1
    with pytest.raises(UsageError, match="Ray chooses a worker's GPU"):
        RayOptions.of(True, device="cuda:1")
    for wrong in ({"gpus": 1.5}, {"gpus": -1}, {"cpus": 0}):
        with pytest.raises(UsageError):
            RayOptions.of(True, **wrong)


def test_without_ray_installed_one_line_says_what_to_type(light, tiles, tmp_path, monkeypatch):
    found = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "ray" else found(name))

    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[ray\]'"):
        penult.extract(tiles, tmp_path / "rows.h5", **light, ray=True)
    assert not list(tmp_path.glob("rows*"))


def test_a_cluster_needs_an_output(light, tiles):
    with pytest.raises(UsageError, match="a run on a cluster needs an output"):
        penult.extract(tiles, **light, ray=True)


def test_an_address_where_nothing_answers_is_refused_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ClusterError, match=rf"127\.0\.0\.1:{port} cannot be reached .* ray status"):
        address.require_answer(f"127.0.0.1:{port}")


def test_something_else_that_answers_is_no_cluster(monkeypatch):
    monkeypatch.setattr(address, "_PROBE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Thread(target=lambda: server.accept()[0].close(), daemon=True)
        stop.start()
        there = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=r"cannot be reached .* is it the port of Ray, 6379"):
            address.require_answer(there)
