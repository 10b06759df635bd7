"""Of several processes that a launcher started for one training, the first alone speaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

__all__ = ["silent_followers"]


@contextmanager
def silent_followers() -> Iterator[None]:
    """Have this process print nothing if another one prints the same.

    Launchers, as torchrun, tell a process its number in ``RANK``, and how many there are in
    ``WORLD_SIZE``. Of the commands, ``finetune`` alone shares its work; the first of its processes
    hears whatever goes wrong in another.
    """
    is_follower = _number("WORLD_SIZE") > 1 and _number("RANK") > 0
    if not is_follower or sys.argv[1:2] != ["finetune"]:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _number(name: str) -> int:
    found = os.environ.get(name, "")
    return int(found) if found.isdecimal() else 0
