"""What is asked of an address before Ray connects to it: a real server of Ray's, and none."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from penult.distributed import address
from penult.distributed.connection import Connection
from penult.distributed.options import RayOptions
from penult.errors import ClusterError
from penult.interface import serving_command_line

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The process of a head that Ray's others connect to, which asks for the token of `head/`."""
    import ray._private.services as services

    (tmp_path / "head/.ray").mkdir(parents=True)
    (tmp_path / "head/.ray/auth_token").write_text("0123456789abcdef" * 4)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [
            services.GCS_SERVER_EXECUTABLE,
            f"--log_dir={tmp_path}",
            f"--session-dir={tmp_path}",
            f"--gcs_server_port={port}",
            "--node-ip-address=127.0.0.1",
            "--session-name=test",
            "--config_list=e30=",
        ],
        env=os.environ | {"RAY_AUTH_MODE": "token", "HOME": str(tmp_path / "head")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    begun = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert running.poll() is None
            assert time.monotonic() - begun < 60
            time.sleep(0.05)
    yield f"127.0.0.1:{port}"
    running.kill()
    running.wait()


@pytest.mark.slow
@needs_ray
def test_a_cluster_that_asks_for_a_token_is_shown_that_of_this_machine(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path / "head"))
    assert address.require_answer(server)

    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ClusterError, match=r"asks for a token, and there is none here, .* copy ~/"):
        address.require_answer(server)

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE is 'disabled' here; unset it"):
        address.require_answer(server)


@needs_ray
def test_tokens_are_shown_as_long_as_a_run_takes():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ray._raylet import AuthenticationMode, get_authentication_mode\n"
            "from penult.distributed.address import authenticating\n"
            "def say(): print(get_authentication_mode() == AuthenticationMode.TOKEN)\n"
            "say()\n"
            "with authenticating(True): say()\n"
            "say()\n",
        ],
        env={name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
        | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split() == ["False", "True", "False"]


@needs_ray
def test_the_cluster_that_runs_here_is_the_one_that_ray_start_noted_if_it_answers(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert address.running() is None
    note = tmp_path / "ray/ray_current_cluster"
    note.parent.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"127.0.0.1:{listening.getsockname()[1]}"
        note.write_text(there)
        assert address.running() == there
    assert address.running() is None, "it was killed, and its note stayed"


@pytest.fixture
def place(monkeypatch):
    """A connection of which nothing but its words are asked, on a machine of 2 cores."""
    # Ray itself would start, if it were asked for its address.
    context = SimpleNamespace(gcs_address="head:6379")
    ray = SimpleNamespace(get_runtime_context=lambda: context)
    monkeypatch.setattr("penult.distributed.connection.import_module", lambda _name: ray)
    monkeypatch.setattr("penult.distributed.connection.cores", lambda: 2)
    monkeypatch.setattr(Connection, "_sized", lambda _self, _options: (1, None))

    def made(name="on Ray at head:6379", *, is_local=False, **options):
        return Connection(RayOptions(**options), name, is_ours=True, is_local=is_local)

    return made


def test_a_run_says_where_it_computes(place, caplog):
    with serving_command_line():
        place().say_where(4, 4)
        place(cpus=2, gpus=0.5).say_where(1, 16)
    assert caplog.messages == [
        "on Ray at head:6379: 4 workers of 1 core",
        "on Ray at head:6379: 1 to 16 workers of 2 cores and 0.5 GPU",
    ]
    caplog.clear()
    place().say_where(4, 4)  # to a program, if it listens
    assert not caplog.messages
    caplog.set_level(logging.INFO, "penult")
    place().say_where(4, 4)
    assert caplog.messages == ["on Ray at head:6379: 4 workers of 1 core"]


def test_more_workers_than_cores_of_this_machine_are_told_to_be_no_faster(place, caplog):
    place(is_local=True).say_where(2, 2)
    place().say_where(20, 20)
    assert not caplog.messages
    place(is_local=True).say_where(20, 20)
    assert caplog.messages == [
        "20 workers share the 2 cores of this machine: all run, and are hardly faster than 2 "
        "would be (ray_workers=2), which take less memory"
    ]


def probing(monkeypatch, probe):
    """Let a short program stand for the connection that Ray makes; an address that answers."""
    monkeypatch.setattr(address, "_PROBE", probe)
    monkeypatch.setattr(
        address.socket, "create_connection", lambda *_args, **_options: socket.socket()
    )
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    return "head:6379"


ASKS = "import os; os.environ.get('RAY_AUTH_MODE') == 'token' or exit('AuthenticationError: no')"


def test_a_token_is_shown_only_where_it_is_asked_for(monkeypatch):
    assert not address.require_answer(probing(monkeypatch, "pass"))
    assert address.require_answer(probing(monkeypatch, ASKS))


def test_a_token_that_is_refused_is_told_apart_from_one_that_is_not_shown(monkeypatch):
    there = probing(monkeypatch, "exit('InvalidAuthToken: another')")
    with pytest.raises(ClusterError, match="there is none here, or another one; copy ~/"):
        address.require_answer(there)

    there = probing(monkeypatch, ASKS)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE is 'disabled' here; unset it"):
        address.require_answer(there)


def test_what_listens_and_says_nothing_is_not_waited_for(monkeypatch):
    there = probing(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(address, "_PROBE_SECONDS", 0.01)
    with pytest.raises(ClusterError, match=r"\(no answer of Ray's within 0.01 seconds\); is it"):
        address.require_answer(there)


def test_the_mode_that_was_set_is_back_after_a_run(monkeypatch):
    read = []
    monkeypatch.setattr(address, "_read_again", lambda: read.append(os.environ["RAY_AUTH_MODE"]))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with address.authenticating(True):
        pass
    assert read == ["token", "disabled"]
