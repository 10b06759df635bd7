"""What Ray writes to the screen is held back, and nothing else is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import ModuleType

import pytest

from penult.distributed.quiet import hushed, own_signals, without_messages


def test_what_is_written_to_standard_error_meanwhile_comes_afterwards_without_rays_lines(capfd):
    with hushed():
        os.write(2, b"[2026-11-27 09:55:34,499 E 15197 15197] core_worker.cc:2465: lost\n")
        os.write(2, b"Segmentation fault\n")
        os.write(2, b"2026-11-27 09:57:54,908\tWARNING __init__.py:28 -- again\n(raylet) more\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "Segmentation fault\n"


def test_a_process_without_standard_error_is_hushed_as_well(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    ran = []
    with hushed():
        ran.append(True)
    assert ran


def test_of_what_a_cluster_publishes_a_machine_that_is_gone_is_told(monkeypatch, caplog):
    worker = ModuleType("ray._private.worker")
    worker.print_to_stdstream = rays_own = pytest.fail
    for name in ("ray", "ray._private"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "ray._private.worker", worker)
    gone = "The node with node id: 1f and address: 10.0.0.7 and node name: n7 has been marked dead"

    with without_messages():
        worker.print_to_stdstream({"lines": ["a task is tried again", gone]}, None)

    assert caplog.messages == [
        "the machine 10.0.0.7 of the cluster is gone; what it had in hand is done again"
    ]
    assert worker.print_to_stdstream is rays_own


def test_a_ray_that_publishes_otherwise_is_left_to_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray._private.worker", None)
    ran = []
    with without_messages():
        ran.append(True)
    assert ran


def test_signals_do_afterwards_what_they_did_before_and_a_thread_which_has_none_goes_on():
    before, ran = signal.getsignal(signal.SIGTERM), []

    def change():
        with own_signals():
            ran.append(True)

    with own_signals():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == before
    thread = threading.Thread(target=change)
    thread.start()
    thread.join()
    assert ran, "only the main thread may set handlers"
