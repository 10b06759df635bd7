"""Threads that ran a network are gone when a process forks, with the locks that they held."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from penult import threads
from penult.threads import NetworkThreads

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="asks Linux")


@linux
def test_a_fork_waits_until_the_system_has_forgotten_a_joined_thread(monkeypatch):
    # Earlier tests left theirs: at a hundred, those that are gone are forgotten, and this one is too.
    monkeypatch.setattr(threads, "_joined", set())
    with NetworkThreads(1) as pool:
        number = pool.submit(threading.get_native_id).result()
    seen = iter([[str(number), "1"], [str(number)], ["1"]])
    monkeypatch.setattr(threads.os, "listdir", lambda _: next(seen))
    threads._before_fork()
    assert next(seen, None) is None
    assert not threads._joined


@linux
def test_a_fork_does_not_wait_for_another_thread_that_has_got_the_number(monkeypatch):
    monkeypatch.setattr(threads, "_joined", {threading.get_native_id()})
    monkeypatch.setattr(threads, "_PATIENCE", 0.01)
    threads._before_fork()
    assert not threads._joined


@linux
def test_a_service_that_never_forks_keeps_no_list_of_its_threads():
    for _ in range(150):
        with NetworkThreads(1) as pool:
            pool.submit(int).result()
    assert len(threads._joined) <= 101


# Without the wait, three forks in a hundred or so end in a child that spins in MKL's allocator.
FORKS = """
import os, sys, threading, torch
from penult.threads import NetworkThreads
torch.set_num_threads(1)
image, kernel = torch.rand(1, 3, 32, 32), torch.rand(8, 3, 3, 3)
square = torch.rand(300, 300)

def work():
    with torch.inference_mode():
        torch.nn.functional.conv2d(image, kernel)
        square @ square

for _ in range(120):
    with NetworkThreads(1) as pool:
        pool.submit(work).result()
    child = os.fork()
    if not child:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


@linux
@pytest.mark.slow
def test_a_child_multiplies_matrices_after_a_network_ran_in_threads():
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    subprocess.run(command, check=True, timeout=120, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
