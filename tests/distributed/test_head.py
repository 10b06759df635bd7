"""The head of a cluster that stops answering is spoken of before Ray ends the process."""

from __future__ import annotations

import logging
import socket

import pytest

from penult.distributed import head
from penult.errors import ClusterError


@pytest.fixture
def listening(monkeypatch):
    monkeypatch.setattr(head, "_SECONDS_APART", 0.0)
    monkeypatch.setattr(head, "_SILENT", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_is_said_once_and_said_again_when_it_is_back(listening, caplog):
    port = listening.getsockname()[1]
    watched = head.Head(f"127.0.0.1:{port}")
    caplog.set_level(logging.WARNING, "penult")

    watched.look()
    assert caplog.messages == []
    listening.close()
    watched.look()
    watched.look()
    assert len(caplog.messages) == 1
    assert f"127.0.0.1:{port}, does not answer; the run ends" in caplog.messages[0]
    with socket.create_server(("127.0.0.1", port)):
        watched.look()
    assert caplog.messages[1:] == [f"the head of the cluster, 127.0.0.1:{port}, answers again"]


def test_a_run_ends_before_ray_would_end_the_process(listening, monkeypatch):
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "0")
    watched = head.Head(f"127.0.0.1:{listening.getsockname()[1]}")
    watched.look()
    listening.close()

    with pytest.raises(ClusterError, match="has not answered for 0 seconds: it was stopped, or"):
        watched.look()
