"""OpenVINO's graphs compiled once for all tests: the smallest takes 30 ms, and an equal one 1 ms."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any

KEPT = 64 << 20  # bytes of weights, of all that are kept
# What OpenVINO names by a number of the process, and not of the graph.
NUMBERS = re.compile(rb'(?<=[a-zA-Z]_)\d+(?=")|(?<=<net name=")\w*')


def compiling_once(core: Any, folder: Path) -> Any:
    """Have a core give the compiled graph that an equal one was given before.

    What is compiled does not change: who runs it asks it for a request of his own.
    """
    from openvino import serialize

    from penult.openvino import stays_in_forks

    description, weights = folder / "graph.xml", folder / "graph.bin"
    compile_model = core.compile_model
    kept: OrderedDict[tuple[bytes, str], tuple[Any, int]] = OrderedDict()
    turn = Lock()

    def compile_once(model: Any, device: str, config: dict[str, Any]) -> Any:
        with turn:
            serialize(model, description, weights)
            numbers = weights.read_bytes()
            digest = hashlib.blake2b(NUMBERS.sub(b"", description.read_bytes()))
            digest.update(numbers)
            key = (digest.digest(), repr((device, config)))
            if key not in kept:
                compiled = compile_model(model, device, config)
                stays_in_forks(compiled)
                kept[key] = (compiled, len(numbers))
            kept.move_to_end(key)
            found, _ = kept[key]
            while sum(size for _, size in kept.values()) > KEPT:
                kept.popitem(last=False)
            return found

    core.compile_model = compile_once
    return core
