"""What is installed, looked up once: it is asked for thousands of times, a few milliseconds each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def once_for_each_path(look_up: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which looks anew only if `sys.path` has changed: a test may add a package."""
    known = cache(lambda _path, args, options: look_up(*args, **dict(options)))
    return lambda *args, **options: known((*sys.path,), args, (*options.items(),))
