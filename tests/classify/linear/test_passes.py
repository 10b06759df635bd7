"""How many rows the sample has that says how a fit over rows on disk begins."""

from __future__ import annotations

import pytest

from penult.classify.linear import passes


class Rows:
    """Nothing but how many there are, how wide, and what memory there is."""

    def __init__(self, count, width, memory):
        self.count, self.width, self.memory = count, width, memory

    def __len__(self):
        return self.count


@pytest.mark.parametrize(
    ("width", "memory", "count"),
    [
        (10, 1 << 40, passes.LARGEST_SAMPLE),
        (passes.MOST_AXES + 1, 1 << 40, passes.MOST_AXES),
        (10, 0, passes.SMALLEST_SAMPLE),
    ],
)
def test_a_sample_has_room_in_memory_and_for_its_axes(width, memory, count):
    chosen = passes._draw(Rows(1_000_000, width, memory), seed=0)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert chosen.tolist() == passes._draw(Rows(1_000_000, width, memory), seed=0).tolist()
