"""The two approximations of t-SNE's repulsion: when each is taken, and that both are near the truth."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from penult.explore.row_map import repulsion

pytestmark = pytest.mark.light


@pytest.mark.parametrize(("points", "width", "expected"), [(10_000, 54, True), (10_000, 55, False)])
def test_a_small_map_is_interpolated_and_a_wide_one_is_not(points, width, expected):
    # 0.8 × 10,000 × log2 10,000 = 106,302 cells are 326 along an axis, of six a unit: 54.3.
    xy = np.zeros((points, 2))
    xy[0] = width, 1
    assert repulsion.interpolates(xy) is expected


def test_of_few_rows_the_tree_is_always_faster():
    assert not repulsion.interpolates(np.zeros((3_000, 2)))


@pytest.mark.parametrize("interpolates", [True, False])
def test_either_way_the_gradient_is_nearly_the_exact_one(monkeypatch, interpolates):
    rng = np.random.default_rng(0)
    xy = rng.normal(0, 4, (60, 2))
    p = rng.random((60, 60)) ** 4
    p = p + p.T
    np.fill_diagonal(p, 0)
    p /= p.sum()
    # van der Maaten and Hinton (2008), equation 5, without its factor 4, as openTSNE has it.
    apart = xy[:, None] - xy
    w = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(w, 0)
    exact = (((p - w / w.sum()) * w)[:, :, None] * apart).sum(axis=1)
    monkeypatch.setattr(repulsion, "interpolates", lambda _: interpolates)
    fft = {"n_interpolation_points": 3, "min_num_intervals": 50, "ints_in_interval": 1}
    _, found = repulsion.kl_divergence(
        xy, csr_matrix(p), dof=1, bh_params={"theta": 0.5}, fft_params=fft, n_jobs=1
    )
    assert np.linalg.norm(found - exact) < 0.05 * np.linalg.norm(exact)
