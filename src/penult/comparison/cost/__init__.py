"""What a network costs on this machine: size, arithmetic, speed and memory."""

from penult.comparison.cost.measure import count as count_cost
from penult.comparison.cost.measure import licences_of
from penult.comparison.cost.process import measure_cost

__all__ = ["count_cost", "licences_of", "measure_cost"]
