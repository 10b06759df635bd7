"""Numbers of a summary: worked out by hand, and against NumPy, SciPy and scikit-learn in full."""

import numpy as np
import pytest
from feature_files import record, write
from map_rows import features_of
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

import penult
from penult.explore.summary import spectrum
from penult.explore.summary.distances import overlap
from penult.explore.summary.intrinsic import two_nn
from penult.explore.summary.moments import Moments

pytestmark = pytest.mark.light


def summary_of(rows, labels=None, **options):
    features = options.pop("features", None) or features_of(rows, labels, names="abcdef")
    return penult.summarize(features, progress=False, **options)


def noise(n, width, seed=0):
    return np.random.default_rng(seed).standard_normal((n, width))


def meaning(summary, name):
    return next(means for what, _, means in summary.table() if what == name)


@pytest.mark.parametrize("exponent", [-100, 120])
def test_distances_of_very_small_and_large_numbers_are_those_of_the_same_numbers(exponent):
    rows = noise(20, 4).astype(np.float32)
    scaled = np.ldexp(rows, exponent)
    found, other = (summary_of(one, metric="euclidean").distances.all for one in (rows, scaled))
    assert other.mean == pytest.approx(np.ldexp(found.mean, exponent))
    assert other.histogram.tolist() == found.histogram.tolist()


def test_rows_of_the_identity_vary_alike_in_all_directions_but_one():
    found = summary_of(np.eye(6))
    assert found.spectrum.effective_rank == pytest.approx(5)
    assert found.spectrum.participation_ratio == pytest.approx(5)
    assert found.spectrum.most == found.spectrum.components(0.95) == 5
    assert found.norms.values.tolist() == [1] * 6
    assert found.dimensions.zero_share == pytest.approx(5 / 6)
    assert found.distances.all.mean == pytest.approx(1)
    assert found.copies.rows == 0
    assert found.hubness.occurrences.sum() == 6 * 2


def test_each_number_is_like_numpys_even_far_from_zero_and_in_blocks():
    rows = noise(60, 5).astype(np.float32)
    rows[:, 1] += 1e4
    rows[:, 2], rows[:, 3] = 0, 0.1
    rows[:30, 4] = 0
    moments = Moments(60, 5)
    for block in np.split(rows, [7, 8, 40]):
        moments.add(block)
    found, full = moments.dimensions(), rows.astype(np.float64)
    np.testing.assert_allclose(found.mean, full.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.std, full.std(axis=0), rtol=1e-9, atol=1e-12)
    assert found.min.tolist() == full.min(axis=0).tolist()
    assert found.max.tolist() == full.max(axis=0).tolist()
    assert found.zeros.tolist() == [0, 0, 1, 0, 0.5]
    assert found.std[2:4].tolist() == [0, 0]
    assert found.total_mean == pytest.approx(full.mean())
    assert found.total_std == pytest.approx(full.std())
    norms = moments.norms([f"{k}.jpg" for k in range(60)])
    lengths = np.linalg.norm(full, axis=1)
    np.testing.assert_allclose(norms.values, lengths)
    assert norms.shortest[0] == (f"{lengths.argmin()}.jpg", pytest.approx(lengths.min()))
    assert norms.longest[0] == (f"{lengths.argmax()}.jpg", pytest.approx(lengths.max()))


def test_dead_dimensions_are_counted_and_said():
    rows = noise(30, 8)
    rows[:, :3] = 0
    assert meaning(summary_of(rows), "dead dimensions") == (
        "3 of 8 numbers are always 0: they tell nothing."
    )
    rows[:, 1:3] = 7
    rows[:, 3] *= 1e-3
    found = summary_of(rows)
    assert found.to_dict()["numbers"]["always_zero"] == 1
    assert np.flatnonzero(found.dimensions.near_constant).tolist() == [3]
    assert meaning(found, "dead dimensions") == (
        "3 of 8 numbers are always the same, 1 of them 0: they tell nothing."
    )
    assert meaning(found, "near-constant").startswith("1 of 8 numbers varies, but hardly")


def test_a_dimension_that_rules_distances_is_named():
    rows = noise(40, 5)
    rows[:, 2] *= 50
    assert meaning(summary_of(rows), "widest dimension").startswith("Number 2 (from 0) varies so")


@pytest.mark.parametrize("shape", [(50, 7), (7, 50)])
def test_ranks_are_those_of_all_singular_values(shape):
    rows = noise(*shape) * np.geomspace(1, 0.01, shape[1])
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    values = values[values > 1e-9]
    shares = values / values.sum()
    found = summary_of(rows).spectrum
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), 1e-5)
    assert found.participation_ratio == pytest.approx(
        (values**2).sum() ** 2 / (values**4).sum(), 1e-5
    )
    np.testing.assert_allclose(found.variance, values**2 / (shape[0] - 1), rtol=1e-4)
    held = np.cumsum(values**2) / (values**2).sum()
    count = found.components(0.9)
    assert held[count - 1] >= 0.9 > held[count - 2]


def test_noise_has_nearly_full_rank_and_a_line_has_one():
    assert summary_of(noise(3000, 10)).spectrum.effective_rank > 9.9
    line = np.arange(30)[:, None] * [1.0, 2, 3] + 5
    assert summary_of(line).spectrum.effective_rank == pytest.approx(1)


def test_long_rows_have_the_spectrum_of_a_sample_and_say_so(monkeypatch):
    monkeypatch.setattr(spectrum, "_SIDE", 20)
    rows = noise(50, 40)
    found = summary_of(rows)
    assert (found.spectrum.rows, found.spectrum.most) == (20, 19)
    assert meaning(found, "effective rank").endswith(
        "20 rows cannot vary in more than 19. Of a random 20 rows."
    )
    chosen = np.sort(np.random.default_rng(0).choice(50, 20, replace=False))
    assert found.spectrum.variance.sum() == pytest.approx(rows[chosen].var(axis=0, ddof=1).sum())


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_points_on_a_flat_in_a_larger_space_have_its_dimension(dimension):
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((9, 9)))[0][:dimension]
    rows = rng.uniform(size=(2000, dimension)) @ turned
    found = summary_of(rows, metric="euclidean").intrinsic_dimension
    assert found.value == pytest.approx(dimension, rel=0.1)
    assert found.rows > 1990


def test_by_cosine_a_line_beside_the_origin_is_an_arc():
    along = np.random.default_rng(0).uniform(size=(1000, 1))
    found = summary_of(along * [1, 0, 0] + [0, 1, 1]).intrinsic_dimension
    assert found.value == pytest.approx(1, rel=0.1)


def test_the_slope_is_that_of_the_article():
    ratios = np.random.default_rng(0).pareto(3, 500) + 1  # of which F(μ) = 1 - μ⁻³
    places = (np.arange(500)[:, None] + [1, 2]) % 500
    found = two_nn(places, np.stack([np.ones(500), ratios], axis=1))
    assert found.value == pytest.approx(3, rel=0.1)
    x = np.log(np.sort(ratios))[:450]
    y = -np.log(1 - np.arange(1, 451) / 500)
    assert found.value == pytest.approx(np.linalg.lstsq(x[:, None], y)[0][0])


def test_copies_count_once_and_near_duplicates_do_not_pull_the_dimension_down():
    rows = noise(1000, 10).astype(np.float32)
    alone = summary_of(rows)
    doubled = summary_of(np.concatenate([rows, rows[:300]]))
    assert doubled.copies.rows == doubled.copies.groups == 300
    assert doubled.copies.largest == ("0.jpg", "1000.jpg")
    assert doubled.intrinsic_dimension == alone.intrinsic_dimension
    assert doubled.hubness.skewness == alone.hubness.skewness
    assert "They count once below." in meaning(doubled, "copies of rows")
    near = np.concatenate([rows, rows[:150] + 1e-3 * noise(150, 10, seed=1)])
    found = summary_of(near).intrinsic_dimension
    assert found.value == pytest.approx(alone.intrinsic_dimension.value, rel=0.02)
    assert 145 <= found.left_out <= 155
    assert "rows with a near-duplicate left out" in meaning(summary_of(near), "intrinsic dimension")


def test_multiples_of_a_row_lie_at_its_place_by_cosine():
    """Most rows here have one, so that not even the median ratio tells anything."""
    rows = noise(100, 4).astype(np.float32)
    both = np.concatenate([rows, 3 * rows[:80]])
    assert summary_of(both).intrinsic_dimension.left_out == 80
    assert summary_of(both).intrinsic_dimension.value == pytest.approx(
        summary_of(rows).intrinsic_dimension.value
    )
    assert summary_of(both).copies.rows == 0


def test_a_row_between_all_others_is_the_hub():
    """Three rows at right angles, and their sum, which is the nearest of each; its own is the first.

    So they are found 1, 0, 0 and 3 times: on average 1, with a variance of 6/4, and a third
    moment of (0 - 1 - 1 + 8)/4.
    """
    found = summary_of([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]).hubness
    assert found.neighbors == 1
    assert found.occurrences.tolist() == [1, 0, 0, 3]
    assert found.strongest[:2] == (("3.jpg", 3), ("0.jpg", 1))
    assert found.skewness == pytest.approx(1.5 / 1.5**1.5)
    assert (found.hubs, found.antihubs) == (0, 2)


def test_hubness_is_the_skewness_of_how_often_rows_are_found():
    from scipy.stats import skew

    rows = noise(300, 30) + 1
    found = summary_of(rows, metric="euclidean").hubness
    near = NearestNeighbors(n_neighbors=10).fit(rows).kneighbors(return_distance=False)
    counts = np.bincount(near.ravel(), minlength=300)
    assert found.occurrences.tolist() == counts.tolist()
    assert found.skewness == pytest.approx(skew(counts))
    assert found.antihubs == (counts == 0).sum()
    assert found.hubs == (counts > counts.mean() + 2 * counts.std()).sum()


def test_distances_within_and_between_classes_by_hand():
    """Angles of 45° within; between them 45°, 90°, 90° and 135°."""
    rows = [[1, 0], [1, 1], [0, 1], [-1, 1]]
    found = summary_of(rows, [0, 0, 1, 1]).distances
    half = np.sqrt(0.5)
    assert found.within.pairs == 2
    assert found.within.mean == pytest.approx(1 - half)
    assert found.between.pairs == 4
    assert found.between.mean == pytest.approx((1 - half + 1 + 1 + 1 + half) / 4)
    assert 0 <= found.overlap <= 0.25  # a tie of one in four pairs, as far as rounding leaves it
    assert found.within.histogram.sum() == pytest.approx(1)


def test_overlap_is_one_less_the_area_under_the_curve():
    rng = np.random.default_rng(0)
    within, between = rng.integers(0, 9, 50).astype(float), rng.integers(3, 12, 80).astype(float)
    truth = [0] * 50 + [1] * 80
    assert overlap(within, between) == pytest.approx(1 - roc_auc_score(truth, [*within, *between]))
    assert overlap(np.ones(3), np.ones(2)) == 0.5


def test_rows_of_several_labels_are_within_where_they_share_one():
    targets = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], bool)
    features = features_of(np.eye(4) + 1, targets=targets, names=["cat", "dog"])
    found = summary_of(None, features=features).distances
    assert (found.within.pairs, found.between.pairs, found.all.pairs) == (2, 1, 6)


def test_rows_without_labels_have_distances_all_the_same():
    found = summary_of(noise(20, 3))
    assert found.distances.within is found.distances.between is None
    assert "distance of rows" in [name for name, *_ in found.table()]


def test_rows_of_zeros_are_named_and_have_no_cosine():
    rows = noise(30, 4)
    rows[[3, 8]] = 0
    found = summary_of(rows)
    assert (found.norms.zero_rows, found.compared) == (2, 28)
    assert "3.jpg, 8.jpg" in meaning(found, "rows of zeros")
    assert summary_of(rows, metric="euclidean").compared == 29  # one of the two, which are copies


def test_many_rows_are_sampled_with_a_seed_and_it_is_said():
    rows = noise(200, 6)
    found = summary_of(rows, sample=50)
    assert (found.compared, found.comparable, found.hubness.rows) == (50, 200, 50)
    assert found.line == (
        "200 rows of 6 numbers, layer penultimate, compared by cosine among a random 50"
    )
    assert summary_of(rows, sample=50).to_dict() == found.to_dict()
    assert summary_of(rows, sample=50, seed=1).to_dict() != found.to_dict()
    assert len(found.norms.values) == 200


def test_rows_of_a_file_and_of_a_layers_maps_are_read_as_those_in_memory(tmp_path):
    rows = noise(9, 12).astype(np.float32)
    records = [record(f"{k}.jpg", "ab"[k % 2]) for k in range(9)]
    path = write(tmp_path / "rows.h5", records, [rows.reshape(9, 3, 2, 2)])
    flat = write(tmp_path / "flat.h5", records, [rows])
    found = penult.summarize(path, progress=False)
    assert found.to_dict() == penult.summarize(penult.load(flat), progress=False).to_dict()


def test_rows_that_are_all_the_same_have_no_rank_and_no_neighbours():
    found = summary_of(np.ones((5, 3)))
    assert found.spectrum.effective_rank == found.spectrum.participation_ratio == 0
    assert found.hubness is found.intrinsic_dimension is found.distances is None
    assert found.copies.rows == 4
    assert meaning(found, "effective rank") == "All rows are the same."


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([[1, 2]], {}, "a summary of 1 row of 2 numbers says nothing"),
        (np.eye(3), {"sample": 5}, "sample=5 is 5|sample=… is 5|give 20 or more"),
        (np.eye(3), {"seed": -1}, "give a whole number from 0 to"),
    ],
)
def test_what_says_nothing_is_refused(rows, options, message):
    with pytest.raises(penult.UsageError, match=message):
        summary_of(rows, **options)


def test_rows_that_are_no_numbers_are_named():
    rows = noise(5, 3)
    rows[3, 1] = np.nan
    with pytest.raises(penult.TrainingError, match=r"1 row with NaN or infinite numbers: 3\.jpg"):
        summary_of(rows)


def test_it_shows_itself_in_a_line_and_as_a_picture_with_its_table():
    found = summary_of(noise(40, 6), np.arange(40) % 2)
    assert repr(found).startswith("Summary(40 × 6 numbers, layer penultimate, effective rank 5.")
    page = found._repr_html_()
    assert '<img alt="summary"' in page
    assert "intrinsic dimension" in page


@pytest.mark.needs("pandas")
def test_pandas_has_the_statistics_of_each_number():
    found = summary_of(noise(40, 6))
    frame = found.to_dataframe()
    assert list(frame.columns) == ["dimension", "mean", "std", "min", "max", "zeros"]
    assert frame["std"].tolist() == found.dimensions.std.tolist()
