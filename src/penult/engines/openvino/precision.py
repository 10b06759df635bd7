"""What OpenVINO computes in on this processor."""

from __future__ import annotations

from types import ModuleType

from penult.errors import UsageError
from penult.interface import option
from penult.openvino import shared_core

__all__ = ["HINTS", "LEAST_COSINE", "capabilities", "require_precision"]

HINTS = {"float32": "f32", "bfloat16": "bf16"}
"""Precision of a recipe to OpenVINO's ``INFERENCE_PRECISION_HINT``, which is never left to it: the
processor's own choice is bfloat16 where it has that."""

LEAST_COSINE = 0.98
"""Of a bfloat16 row of `penult.engines.agreement.check_image` and its float32 one."""


def capabilities(ov: ModuleType) -> tuple[str, ...]:
    """What the processor computes in, by OpenVINO's names: ``"FP32"``, ``"BF16"`` and so on."""
    return tuple(shared_core(ov).get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def require_precision(ov: ModuleType, precision: str) -> None:
    """Refuse a precision that this processor has no instructions for.

    Raises
    ------
    UsageError
    """
    if precision == "float32":
        return
    if "BF16" not in capabilities(ov):
        name = shared_core(ov).get_property("CPU", "FULL_DEVICE_NAME").strip()
        raise UsageError(
            f"precision bfloat16 takes a CPU that computes in it (AVX512-BF16, AMX, or bf16 of "
            f"ARM), which this one, {name}, does not; extract with "
            f"{option('precision', 'float32')}"
        )
