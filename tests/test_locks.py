"""A lock that is held when a process forks does not keep the child waiting."""

from __future__ import annotations

import subprocess
import sys

import pytest

HELD = """
import importlib, os, sys
module, name = sys.argv[1].split(":")
lock = getattr(importlib.import_module(module), name)
with lock:
    child = os.fork()
    if not child:
        with lock:
            pass
    else:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
if not child:
    with lock:
        os._exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
@pytest.mark.parametrize(
    "lock",
    [
        "penult.images.labels.csv_cells:_limit",
        "penult.images.in_memory:_loading",
        "penult.extractor.opened:_opening",
        "penult.openvino:_making",
        "penult.openvino:first_run_lock",
    ],
)
def test_a_child_does_not_wait_for_who_held_a_lock_in_the_parent(lock):
    arguments = [sys.executable, "-W", "ignore", "-c", HELD, lock]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.stdout == "7\n"
