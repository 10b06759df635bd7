"""Torch in a process that was forked from one that had torch."""

from __future__ import annotations

import os
import sys

__all__ = ["torch_in_one_thread"]

_had_torch = False


def torch_in_one_thread() -> None:
    """Let torch compute without threads where this process was forked from one that had torch.

    A fork takes along only the thread that forks. Torch would wait for the others, if it had
    computed before, and for ever.
    """
    if _had_torch:
        import torch

        if torch.get_num_threads() > 1:
            torch.set_num_threads(1)


def _in_child() -> None:
    global _had_torch
    _had_torch = "torch" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
