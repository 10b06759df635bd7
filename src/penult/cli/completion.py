"""What a shell offers for a value when Tab is pressed: names that are known without importing much.

Where nothing is offered, the shell offers files.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

__all__ = ["completing", "devices", "engines", "kinds", "labels", "layers", "models", "samples"]

_VARIABLE = "_PENULT_COMPLETE"
_SOURCES = ("timm:", "torchvision:", "keras:", "hf:", "onnx:", "checkpoint:", "bundled:")
_BUNDLED = tuple(f"efficientnet_lite{number}" for number in range(3))


def models(incomplete: str) -> list[str]:
    """Names of networks; those of timm and torchvision once their prefix was typed."""
    source, colon, _ = incomplete.partition(":")
    if not colon:
        from penult.backbones.aliases import ALIASES

        return [*_BUNDLED, *ALIASES, *_SOURCES]
    from penult.backbones.sizes import sizes

    return [name.replace("/", ":", 1) for name in sizes() if name.startswith(f"{source}/")]


def layers(incomplete: str) -> list[str]:
    """Those that every network has."""
    return ["penultimate", "logits"]


def kinds(incomplete: str) -> list[str]:
    """Kinds of classifiers."""
    from penult.classify.kinds.registry import kind_names

    return list(kind_names())


def engines(incomplete: str) -> list[str]:
    """Engines; a test compares them with the registry, which takes NumPy along."""
    return ["auto", "openvino", "torch"]


def devices(incomplete: str) -> list[str]:
    """Devices."""
    return ["auto", "cpu", "cuda", "mps"]


def labels(incomplete: str) -> list[str]:
    """Where labels may come from, beside a file."""
    return ["parent", "none", "column:"]


def samples(incomplete: str) -> list[str]:
    """Sample image sets."""
    return ["digits"]


@contextmanager
def completing() -> Iterator[None]:
    """Make up for what typer does not see to, if a shell asks for completions."""
    shell = os.environ.get(_VARIABLE, "")
    if shell.startswith("complete_"):
        # Help would be read as rich's markup, which it is not; importing rich takes longest of all.
        sys.modules["rich"] = None  # type: ignore[assignment]
    if shell != "complete_bash":
        yield
        return
    typed = _join_at_colons()
    begun = typed[: typed.rfind(":") + 1]
    offered = io.StringIO()
    try:
        with redirect_stdout(offered):
            yield
    finally:
        for line in offered.getvalue().splitlines():
            sys.stdout.write(f"{line.removeprefix(begun)}\n")


def _join_at_colons() -> str:
    """Make one word again of those that bash takes a colon or an equals sign to end.

    It says ``timm``, ``:`` and ``res`` for ``timm:res``, and of what is offered it inserts what
    comes after the last colon. Returns the value that is being typed.
    """
    words = os.environ["COMP_WORDS"].split("\n")
    joined: list[str] = []
    for word in words[: int(os.environ["COMP_CWORD"]) + 1]:
        if joined and (word in (":", "=") or joined[-1].endswith((":", "="))):
            joined[-1] += word
        else:
            joined.append(word)
    os.environ["COMP_WORDS"] = "\n".join(joined)
    os.environ["COMP_CWORD"] = str(len(joined) - 1)
    typed = joined[-1]
    return typed.partition("=")[2] if typed.startswith("-") else typed
