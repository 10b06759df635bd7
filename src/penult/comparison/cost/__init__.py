"""What a network costs on this machine: size, arithmetic, speed and memory."""

from penult.comparison.cost.process import measure_cost

__all__ = ["measure_cost"]
