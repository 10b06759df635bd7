"""A backbone in 8-bit integers: several times as fast on a CPU, for rows that differ a little."""

from penult.quantization.card import LayerCosine, ProbeAccuracy, Quantization
from penult.quantization.run import quantize

__all__ = ["LayerCosine", "ProbeAccuracy", "Quantization", "quantize"]
