"""How alike networks are: matrices of pairs that are worked out once."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.comparison.similarities import find_similarities
from penult.similarity import null, rsa

pytestmark = pytest.mark.light

SHARED = 2 * np.random.default_rng(0).normal(size=(20, 3))
IDS = [f"{k:02}.jpg" for k in range(20)]


def network(name, width=8, **fields):
    rows = np.hstack(
        [SHARED, np.random.default_rng([*name.encode()]).normal(size=(20, width - 3))]
    ).astype(np.float32)
    given = {
        "features": rows,
        "ids": IDS,
        "labels": np.zeros(20, np.int64),
        "label_names": ("a",),
        "recipe": recipe(network=name),
        "content": [f"{k:032x}" for k in range(20)],
    }
    return penult.Features(**(given | fields))


@pytest.fixture
def networks():
    return {"toy:b": network("toy:b"), "toy:a": network("toy:a", 30), "toy:c": network("toy:c")}


@pytest.fixture
def counted(monkeypatch):
    """How many pairs were worked out."""
    pairs, work_out = [], null.cka_null

    def count(*both, **options):
        pairs.append(tuple(one.name for one in both))
        return work_out(*both, **options)

    monkeypatch.setattr(null, "cka_null", count)
    return pairs


def find(rows, kept=None, *, seed=0, tell=lambda progress: None):
    return find_similarities(rows, kept=kept, seed=seed, tell=tell)


def test_the_matrices_hold_what_the_public_functions_give(networks):
    told = []
    for measure, found in zip(
        (penult.cka, penult.rsa), find(networks, tell=told.append), strict=True
    ):
        assert found.names == ("toy:b", "toy:a", "toy:c")
        assert (found.n, found.null_n, found.permutations) == (20, 20, 200)
        for i, one in enumerate(networks.values()):
            for j, other in enumerate(networks.values()):
                value = 1 if i == j else measure(one, other)
                assert found.matrix[i][j] == pytest.approx(value, abs=1e-12)
                assert found.matrix[i][j] == found.matrix[j][i]
                assert isnan(found.p[i][j]) if i == j else 1 / 201 <= found.p[i][j] < 0.05
                assert i == j or found.p[i][j] == found.p[j][i]
        assert 0 < found.null_high < 0.5
    assert [(one.done, one.total, one.kept, one.unit) for one in told] == [
        (1, 3, 0, "pairs"), (2, 3, 0, "pairs"), (3, 3, 0, "pairs"),
    ]  # fmt: skip
    assert [one.measure for one in find(networks)] == ["cka", "rsa"]


def test_rows_are_matched_by_their_ids_on_disk_as_in_memory(networks, tmp_path):
    order = np.random.default_rng(7).permutation(20)
    for name, one in networks.items():
        places = order if name == "toy:a" else range(20)
        write(
            tmp_path / f"{name[-1]}.h5",
            [record(IDS[k]) for k in places],
            [one.features[list(places)]],
            recipes=[one.recipe],
            digests=[one.content[k] for k in places],
        )
    on_disk = {name: penult.load(tmp_path / f"{name[-1]}.h5") for name in networks}
    for found, expected in zip(find(on_disk), find(networks), strict=True):
        np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-12)
        np.testing.assert_array_equal(found.p, expected.p)


def test_a_pair_is_of_the_images_that_both_have_whichever_others_there_are(networks):
    whole = find(networks)
    fewer = networks | {"toy:c": networks["toy:c"].take(range(2, 15))}
    for found, before in zip(find(fewer), whole, strict=True):
        assert found.n == found.null_n == 13
        assert found.matrix[0][1] == before.matrix[0][1]
        assert found.p[0][1] == before.p[0][1]
        assert found.matrix[0][2] != before.matrix[0][2]
    assert find(fewer)[0].matrix[0][2] == pytest.approx(
        penult.cka(networks["toy:b"].take(range(2, 15)), fewer["toy:c"]), abs=1e-12
    )


def test_what_is_finished_is_not_worked_out_again(networks, tmp_path, counted):
    kept, told = tmp_path / "similarities.json", []
    two = {name: networks[name] for name in ("toy:b", "toy:a")}
    first = find(two, kept)
    assert counted == [("toy:a", "toy:b")]
    every = find(networks, kept, tell=told.append)
    assert counted[1:] == [("toy:b", "toy:c"), ("toy:a", "toy:c")]
    assert [(one.done, one.kept) for one in told] == [(2, 1), (3, 1)]
    find(networks, kept, tell=told.append)
    assert len(told) == 2  # nothing was left to do
    for before, after in zip(first, every, strict=True):
        assert after.matrix[0][1] == before.matrix[0][1]
        assert after.p[0][1] == before.p[0][1]
    assert repr(find(networks, kept)) == repr(every)
    turned = find(dict(reversed(networks.items())), kept)
    np.testing.assert_array_equal(np.array(turned[0].p)[::-1, ::-1], every[0].p)
    assert len(counted) == 3
    # What is worked out anew has the same digits.
    for again, before in zip(find(networks), every, strict=True):
        assert again.to_dict() == before.to_dict()


def test_a_kill_loses_one_pair_at_the_most(networks, tmp_path, counted, monkeypatch):
    kept, work_out = tmp_path / "similarities.json", null.rsa_null

    def killed_at_the_second(*both, **options):
        if len(counted) == 2:
            raise KeyboardInterrupt
        return work_out(*both, **options)

    monkeypatch.setattr(null, "rsa_null", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        find(networks, kept)
    monkeypatch.setattr(null, "rsa_null", work_out)
    assert find(networks, kept)[1].to_dict() == find(networks)[1].to_dict()
    assert len(counted) == 2 + 2 + 3  # the first pair was there
    assert [one.name for one in tmp_path.iterdir()] == [kept.name]


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": recipe(network="toy:other")},
        {"ids": [*IDS[:-1], "other.jpg"]},
        {"content": [f"{k:032x}" for k in (*range(19), 99)]},
        {"content": None},
    ],
)
def test_nothing_is_taken_that_is_of_other_rows(networks, tmp_path, counted, change):
    kept = tmp_path / "similarities.json"
    find(networks, kept)
    find(networks | {"toy:c": replace(networks["toy:c"], **change)}, kept)
    assert sorted(counted[3:]) == [("toy:a", "toy:c"), ("toy:b", "toy:c")]
    assert len(json.loads(kept.read_text())["pairs"]) == 3  # the others were replaced


def test_nothing_is_taken_that_was_drawn_or_computed_otherwise(
    networks, tmp_path, counted, monkeypatch
):
    kept = tmp_path / "similarities.json"
    find(networks, kept)
    find(networks, kept, seed=1)
    assert len(counted) == 6
    monkeypatch.setattr(rsa, "SAMPLE", 10)
    monkeypatch.setattr(null, "SAMPLE", 5)
    cka, by_ranks = find(networks, kept, seed=1)
    assert len(counted) == 9
    assert (cka.n, by_ranks.n, cka.null_n, by_ranks.null_n) == (20, 10, 5, 5)
    kept.write_text(kept.read_text().replace('"format": 1', '"format": 0'))
    find(networks, kept, seed=1)
    assert len(counted) == 12


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "pairs": [{"names": ["a"]}]}', "\0"])
def test_a_damaged_file_is_one_line_that_names_it(networks, tmp_path, text):
    kept = tmp_path / "similarities.json"
    kept.write_text(text)
    with pytest.raises(penult.FileFormatError) as raised:
        find(networks, kept)
    assert str(raised.value).startswith(f"{kept} is damaged")
    assert "\n" not in str(raised.value)
    assert kept.read_text() == text


def test_a_network_whose_rows_are_all_the_same_has_no_value(networks, tmp_path):
    same = network("toy:same", features=np.full((20, 4), 0.1, np.float32))
    for kept in (None, tmp_path / "kept.json", tmp_path / "kept.json"):
        for found in find({"toy:same": same} | networks, kept):
            matrix = np.array(found.matrix)
            assert np.isnan(matrix[0]).all()
            assert np.isnan(np.array(found.p)[0]).all()
            assert np.diag(matrix)[1:].tolist() == [1, 1, 1]
            assert not np.isnan(matrix[1:, 1:]).any()
            assert 0 < found.null_high < 0.5
            assert "NaN" not in json.dumps(found.to_dict())


def test_three_images_have_no_value(networks):
    few = networks | {"toy:c": networks["toy:c"].take(range(3))}
    for found in find(few):
        assert found.n == 3
        assert isnan(found.matrix[0][2])
        assert not isnan(found.matrix[0][1])


def test_a_network_alone_is_like_itself(networks):
    (cka, by_ranks) = find({"toy:a": networks["toy:a"]})
    assert cka.matrix == by_ranks.matrix == ((1.0,),)
    assert isnan(cka.p[0][0])
    assert isnan(cka.null_high)
