"""The spanning forest of near pairs, beside Kruskal's algorithm written out."""

from __future__ import annotations

import numpy as np
import pytest

from penult.neighbors import forest as module
from penult.neighbors.forest import Forest
from penult.neighbors.pairs import Pairs, near_pairs

pytestmark = pytest.mark.light


def pairs_of(triples):
    first, second, cosine = zip(*triples, strict=True) if triples else ((), (), ())
    return Pairs(
        first=np.array(first, np.int64),
        second=np.array(second, np.int64),
        cosine=np.array(cosine, float),
        count=len(triples),
    )


def kruskal(rows, triples):
    """Take the nearest pairs, of equally near ones the first, unless they close a circle."""
    group = list(range(rows))
    kept = []
    for first, second, cosine in sorted(triples, key=lambda t: (-t[2], t[0], t[1])):
        one, other = group[first], group[second]
        if one != other:
            kept.append((first, second, cosine))
            group = [min(one, other) if g in (one, other) else g for g in group]
    return kept, group


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_one_of_kruskal_however_the_pairs_come_in(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    every = [(i, j) for i in range(30) for j in range(i + 1, 30)]
    # Few values, so that many are equal; 0 is one of them.
    chosen = rng.choice(len(every), 10 + 12 * seed, replace=False)
    triples = [(*every[k], float(rng.choice([0.0, 0.5, 0.75, 1.0]))) for k in chosen]
    kept, group = kruskal(30, triples)
    for parts in (1, 4, len(triples)):
        monkeypatch.setattr(module, "_PENDING", 0 if parts == 4 else 1 << 18)
        forest = Forest(5 if parts == 4 else 30)
        forest.rows = 30
        for part in np.array_split(rng.permutation(len(triples)), parts):
            forest.add(pairs_of([triples[k] for k in part]))
        links = forest.links()
        assert list(zip(links.first, links.second, links.cosine, strict=True)) == kept
        firsts = sorted(set(group))
        assert forest.groups().tolist() == [firsts.index(g) for g in group]
        weakest = [
            min((c for i, _, c in kept if group[i] == first), default=np.nan) for first in firsts
        ]
        assert forest.weakest() == pytest.approx(weakest, nan_ok=True, abs=0)


def test_a_chain_is_told_from_a_clique_by_its_weakest_link():
    forest = Forest(7)
    forest.add(pairs_of([(1, 2, 0.99), (1, 4, 0.98), (2, 4, 0.985), (3, 5, 0.99), (0, 5, 0.95)]))
    assert forest.groups().tolist() == [0, 1, 1, 0, 1, 0, 2]
    assert forest.weakest().tolist()[:2] == [0.95, 0.985]
    assert np.isnan(forest.weakest()[2])


def test_a_pair_that_is_added_twice_counts_once():
    forest = Forest(3)
    for _ in range(2):
        forest.add(pairs_of([(0, 1, 0.9), (1, 2, 0.8)]))
        assert forest.links().cosine.tolist() == [0.9, 0.8]


def test_no_pairs_leave_every_row_alone():
    forest = Forest(3)
    forest.add(pairs_of([]))
    assert forest.groups().tolist() == [0, 1, 2]
    assert np.isnan(forest.weakest()).all()
    assert len(Forest(0).groups()) == len(Forest(0).weakest()) == 0


def test_copies_that_are_left_out_change_neither_groups_nor_weakest_links():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 4)).astype(np.float32)
    rows[40:] = rows[:20]
    every, few = Forest(60), Forest(60)
    for block in near_pairs(rows, 0.9):
        every.add(block)
    for block in near_pairs(rows, 0.9, every=False):
        few.add(block)
    assert (every.groups() == few.groups()).all()
    assert np.array_equal(every.weakest(), few.weakest(), equal_nan=True)
    assert 1 < len(every.weakest()) < 40
