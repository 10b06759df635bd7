"""A comparison as a whole: what is finished is kept, what fails is named, what is added fits."""

from __future__ import annotations

import csv
import io
import json
import logging
import pickle
import shutil
import zipfile
from pathlib import Path

import feature_files
import numpy as np
import pytest

import penult
from penult.backbones.checkpoint import save_checkpoint
from penult.backbones.registry import open_backbone
from penult.comparison import ranking
from penult.comparison import rows as rows_module
from penult.comparison import run as run_module
from penult.comparison.scoring import score_rows
from penult.content_keys import keys_of
from penult.errors import (
    BackboneError,
    EngineError,
    FeatureFileError,
    FileFormatError,
    OutputError,
    OutputExistsError,
    RecipeMismatchError,
    TrainingError,
    UsageError,
    WeightsError,
)
from penult.extraction import Extraction

pytestmark = pytest.mark.light

FILES = ("good", "fair", "poor")


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Charts take longer than all else here, and are no matter of it."""
    monkeypatch.setattr("penult.reporting.comparison_figures.comparison_figures", lambda _: {})


@pytest.fixture(autouse=True)
def scored_once(monkeypatch, known={}):  # noqa: B006 - what all tests of this file share
    """The same rows, divided the same way, are scored once: most tests are of what is done with it."""

    def score(features, splits, *, tell):
        divided = (splits.options, splits.dropped, splits.ids, splits.units, splits.parts)
        rows = (features.features[:], list(features.ids), features.labels, features.label_names)
        key = pickle.dumps((rows, divided))
        if key not in known:
            found = score_rows(features, splits, tell=tell)
            if not {"accuracy", "knn_accuracy", "hit@1"} <= found.same.keys():
                return found  # with warnings of what is missing
            known[key] = found
        return known[key]

    monkeypatch.setattr(run_module, "score_rows", score)


def write_rows(folder):
    """Three feature files of the same 45 images, whose rows tell the classes ever worse."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 15)
    records = [feature_files.record(f"{one}/{k:02}.jpg", one) for k, one in enumerate(labels)]
    corners = 3 * np.eye(3, 6)[np.repeat(range(3), 15)]
    for name, noise in zip(FILES, (0.3, 2.0, 9.0), strict=True):
        made = (corners + noise * rng.normal(size=(45, 6))).astype(np.float32)
        recipe = feature_files.recipe(network=f"toy:{name}")
        feature_files.write(folder / f"{name}.h5", records, [made], recipes=[recipe])
    return [folder / f"{name}.h5" for name in FILES]


@pytest.fixture(scope="module")
def written_rows(tmp_path_factory):
    return write_rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture
def rows(tmp_path, written_rows):
    return [Path(shutil.copy(file, tmp_path)) for file in written_rows]


def without_files(made):
    rows = [{**row, "file": row["file"].rpartition("/")[2]} for row in made["rows"]]
    return {**made, "rows": rows}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What the three come to, where nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    return numbers(compare(write_rows(folder), folder / "out"))


def compare(images, output, **options):
    return penult.compare(
        images, output, **{"similarity": False, "cost": False, "runs": 1, **options}
    )


def numbers(comparison):
    """All that has to be the same again."""
    made = comparison.to_dict()
    return {name: made[name] for name in ("rows", "splits", "differences", "recommended")}


def test_networks_are_ranked_by_their_scores_and_lie_in_the_folder(rows, tmp_path):
    found = compare(rows, tmp_path / "out")
    assert [row.name for row in found.rows] == ["good", "fair", "poor"]
    assert [row.model for row in found.rows] == ["toy:good", "toy:fair", "toy:poor"]
    assert found.rows[0].scores["accuracy"].mean == 1
    assert found.rows[2].scores["accuracy"].mean < 0.7
    assert len(found.differences) == 3
    written = json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(found.to_dict()))
    assert written["rows"][0]["accuracy"] == {"mean": 1, "std": 0, "runs": [1]}
    with (tmp_path / "out" / "comparison.csv").open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["good", "fair", "poor"]
    with (tmp_path / "out" / "splits.csv").open(encoding="utf-8", newline="") as file:
        parts = [row["run_1"] for row in csv.DictReader(file)]
    assert parts.count("test") == 9
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_network_that_is_added_later_is_compared_on_the_same_parts(
    rows, tmp_path, monkeypatch, whole
):
    compare(rows[:2], tmp_path / "out")
    scored = []
    score = run_module.score_rows
    monkeypatch.setattr(
        run_module,
        "score_rows",
        lambda features, *args, **options: (
            scored.append(features.recipe.network) or score(features, *args, **options)
        ),
    )
    later = compare(rows[2], tmp_path / "out")
    assert scored == ["toy:poor"]
    assert without_files(numbers(later)) == without_files(whole)


@pytest.mark.parametrize(
    ("moment", "network"),
    [("score_rows", 1), ("write_result", 0), ("write_result", 2), ("write_tables", 1)],
)
def test_a_run_that_is_interrupted_goes_on_where_it_was(
    rows, tmp_path, monkeypatch, moment, network, whole
):
    module = run_module if moment == "score_rows" else run_module.ComparisonFolder
    real, calls = getattr(module, moment), []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == network + 1:
            raise KeyboardInterrupt
        return real(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, moment, interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare(rows, tmp_path / "out")
    finished = len(list((tmp_path / "out" / "results").glob("*.npz")))
    assert finished == network + (moment == "write_tables")
    scored = []
    score = run_module.score_rows
    monkeypatch.setattr(
        run_module,
        "score_rows",
        lambda *args, **options: scored.append(1) or score(*args, **options),
    )
    assert without_files(numbers(compare(rows, tmp_path / "out"))) == without_files(whole)
    assert len(scored) == 3 - finished


def test_images_are_extracted_once_and_photos_that_fail_are_in_none(
    toy, photos, tmp_path, monkeypatch
):
    (photos / "rose" / "broken.jpg").write_bytes(b"no photo")
    found = compare(photos, tmp_path / "out", model=toy, layer=["mean", "logits"])
    assert {row.name for row in found.rows} == {f"{toy}/mean", f"{toy}/logits"}
    assert {row.features for row in found.rows} == {3, 2}
    assert all(row.images == 36 and row.missing == 0 for row in found.rows)
    (failure,) = found.failures
    assert failure.id == "rose/broken.jpg"
    assert failure.reason
    monkeypatch.setattr(Extraction, "to_file", None)  # it would be called in vain
    again = compare(photos, tmp_path / "out", model=toy, layer=["mean", "logits"])
    assert numbers(again) == numbers(found)


def test_photos_that_came_after_are_refused_and_the_rows_are_kept(toy, photos, tmp_path):
    compare(photos, tmp_path / "out", model=toy)
    (photos / "rose" / "rose_99.jpg").write_bytes((photos / "rose" / "rose_01.jpg").read_bytes())
    with pytest.raises(UsageError, match=r"1 image added \(rose/rose_99\.jpg\)"):
        compare(photos, tmp_path / "out", model=toy)
    begun = compare(photos, tmp_path / "out", model=toy, overwrite=True)
    assert begun.rows[0].images == 37


def test_what_is_wrong_with_one_network_is_named_and_the_rest_goes_on(
    toy, photos, tmp_path, monkeypatch, caplog
):
    real = Extraction.to_file

    def fail(self, sources, output, **options):
        if "flip" in str(output):
            raise EngineError("it ran out of memory")
        return real(self, sources, output, **options)

    monkeypatch.setattr(Extraction, "to_file", fail)
    with caplog.at_level(logging.WARNING, "penult"):
        found = compare(photos, tmp_path / "out", model=toy, views=["none", "flip"])
    assert [row.name for row in found.rows] == [toy]
    assert [(one.model, one.reason) for one in found.skipped] == [
        (f"{toy}, flip", "it ran out of memory")
    ]
    assert f"{toy}, flip is left out: it ran out of memory" in caplog.text
    assert found.recommended is None
    with pytest.raises(
        BackboneError, match=f"none of these could be compared: {toy}, flip, random: "
    ):
        compare(
            photos, tmp_path / "none", model=[toy], views=["flip", "five-crop"],
            weights="random",
        )  # fmt: skip


def test_one_network_that_fails_alone_fails_as_it_would_by_itself(toy, photos, tmp_path):
    with pytest.raises(WeightsError, match="leave --weights out"):
        compare(photos, tmp_path / "out", model=toy, weights="random")


def test_too_few_images_are_the_fault_of_no_network(toy, photos, tmp_path):
    for one in sorted((photos / "rose").iterdir())[2:]:
        one.unlink()
    with pytest.raises(TrainingError, match="rose"):
        compare(photos, tmp_path / "out", model=toy)


def test_rows_that_cannot_be_scored_are_one_networks_fault(rows, tmp_path):
    spoilt = penult.load(rows[0])
    made = np.array(spoilt.features)
    made[3] = np.nan
    records = [feature_files.record(str(one), str(one)[0]) for one in spoilt.ids]
    recipe = feature_files.recipe(network="toy:spoilt")
    file = feature_files.write(tmp_path / "spoilt.h5", records, [made], recipes=[recipe])
    found = compare([*rows[:2], file], tmp_path / "out")
    assert [row.name for row in found.rows] == ["good", "fair"]
    assert found.skipped[0].model == "spoilt"


def test_costs_are_measured_once_and_may_be_measured_later(toy, photos, tmp_path, monkeypatch):
    measured = []

    def measure(spec, records, **_options):
        measured.append(spec.rows.layers)
        return penult.records.ModelCost(parameters=6, images_per_second=100.0)

    monkeypatch.setattr(rows_module, "measure_cost", measure)
    without = compare(photos, tmp_path / "out", model=toy)
    # What depends on the network alone is counted without.
    assert (without.rows[0].cost.parameters, without.rows[0].cost.flops) == (6, 0)
    assert without.rows[0].cost.images_per_second is None
    with_cost = compare(photos, tmp_path / "out", model=toy, cost=True)
    assert with_cost.rows[0].cost.parameters == 6
    assert with_cost.rows[0].scores == without.rows[0].scores
    again = compare(photos, tmp_path / "out", model=toy, cost=True)
    assert again.rows[0].cost.parameters == 6
    assert measured == [("penultimate",)]


def test_rows_of_other_weights_are_refused_and_made_anew_where_that_is_asked_for(
    toy, photos, tmp_path
):
    compare(photos, tmp_path / "out", model=toy)
    file = next((tmp_path / "out" / "features").glob("*.h5"))
    penult.extract(photos, file, model=toy, normalize="l2", overwrite=True)
    with pytest.raises(RecipeMismatchError, match="give overwrite=True to make it anew"):
        compare(photos, tmp_path / "out", model=toy)
    assert compare(photos, tmp_path / "out", model=toy, overwrite=True).rows[0].features == 3


def test_another_layer_of_a_network_is_added_and_what_is_there_is_found(
    toy, photos, tmp_path, monkeypatch
):
    compare(photos, tmp_path / "out", model=toy, layer=["mean", "logits"])
    extracted, real = [], Extraction.to_file

    def watched(self, sources, output, **options):
        extracted.append(self.extractor.rows.layers)
        return real(self, sources, output, **options)

    monkeypatch.setattr(Extraction, "to_file", watched)
    found = compare(photos, tmp_path / "out", model=toy, layer=["mean", "penultimate"])
    assert {row.name for row in found.rows} == {toy, f"{toy}/mean", f"{toy}/logits"}
    assert extracted == [("penultimate",)]
    compare(photos, tmp_path / "out", model=toy, layer="mean")
    compare(photos, tmp_path / "out", model=toy)
    assert len(extracted) == 1


def test_networks_are_joined_of_the_rows_that_are_there(
    toy, margins, photos, tmp_path, monkeypatch
):
    both = f"{toy}+{margins}"
    at_once = compare(photos, tmp_path / "at-once", model=both)
    compare(photos, tmp_path / "out", model=[toy, margins])
    monkeypatch.setattr(Extraction, "to_file", None)  # it would be called in vain
    found = compare(photos, tmp_path / "out", model=both)
    (joined,) = (row for row in found.rows if row.name == both)
    assert joined.layer == "joined"
    assert joined.scores == at_once.rows[0].scores
    theirs, ours = (
        penult.load(folder / row.file).features[:]
        for folder, row in ((tmp_path / "at-once", at_once.rows[0]), (tmp_path / "out", joined))
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_folder_of_something_else_is_refused(rows, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"holds thesis\.tex, and no comparison"):
        compare(rows, other, overwrite=True)
    assert [one.name for one in other.iterdir()] == ["thesis.tex"]


def test_another_file_does_not_take_a_name_that_is_taken(rows, tmp_path):
    compare(rows, tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    moved = rows[2].rename(tmp_path / "elsewhere" / "good.h5")
    with pytest.raises(UsageError, match=r"would take its name; rename the file"):
        compare(moved, tmp_path / "out")


def test_a_result_that_is_damaged_is_named(rows, tmp_path):
    compare(rows, tmp_path / "out")
    file = tmp_path / "out" / "results" / "fair.npz"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(FileFormatError, match=r"fair\.npz is damaged.* remove it"):
        compare(rows, tmp_path / "out")
    file.unlink()
    assert len(compare(rows, tmp_path / "out").rows) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "efficientnet_lite0"}, "has rows already"),
        ({"precision": "bfloat16"}, "has rows already"),
        ({"runs": 0}, "runs=0 was given; give 1 or more"),
        ({"min_per_class": -1}, "give 0 or more"),
        ({"test_size": 1.5}, "1.5"),
        ({"near_duplicates": 2.0}, "near_duplicates is 2"),
        ({"score": "macro_f1"}, "accuracy"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_work(rows, tmp_path, options, said):
    with pytest.raises(UsageError) as refusal:
        compare(rows, tmp_path / "out", **options)
    assert said in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_feature_files_and_images_are_not_mixed(rows, photos, tmp_path):
    with pytest.raises(UsageError, match=r"good\.h5 is a feature file, and 1 other"):
        compare([rows[0], photos], tmp_path / "out")


def test_networks_are_ranked_by_the_score_that_is_asked_for(rows, tmp_path):
    compare(rows, tmp_path / "out")
    found = compare(rows, tmp_path / "out", score="precision@5")
    means = [row.scores["precision@5"].mean for row in found.rows]
    assert means == sorted(means, reverse=True)
    assert {one.score for one in found.differences} == {"precision@5"}
    assert found.score == "precision@5"


def test_each_result_is_read_once_also_those_that_another_call_adds(rows, tmp_path, monkeypatch):
    read, real = [], ranking.read_result
    monkeypatch.setattr(
        ranking, "read_result", lambda path, *args: read.append(path.stem) or real(path, *args)
    )
    score = run_module.score_rows

    def beside(features, *args, **options):
        if features.recipe.network == "toy:fair" and len(read) < 2:
            compare(rows[2], tmp_path / "out")  # as another process might
        return score(features, *args, **options)

    monkeypatch.setattr(run_module, "score_rows", beside)
    found = compare(rows[:2], tmp_path / "out")
    assert [row.name for row in found.rows] == ["good", "fair", "poor"]
    inner, outer = ["good", "poor"], ["good", "fair", "poor"]
    assert sorted(read) == sorted(inner + outer)


def test_how_alike_networks_are_is_drawn_with_the_seed_of_the_folder(rows, tmp_path, monkeypatch):
    seeds, real = [], run_module.find_similarities
    monkeypatch.setattr(
        run_module,
        "find_similarities",
        lambda *args, **options: seeds.append(options["seed"]) or real(*args, **options),
    )
    first = compare(rows[:2], tmp_path / "out", seed=5, similarity=True)
    again = compare(rows[:2], tmp_path / "out", similarity=True)
    assert seeds == [5, 5]
    assert again.cka.matrix == first.cka.matrix


def test_a_network_that_a_search_cannot_rank_is_last_and_without_a_score(rows, tmp_path):
    spoilt = penult.load(rows[1])
    made = np.array(spoilt.features)
    made[3] = 0  # has no cosine
    records = [feature_files.record(str(one), str(one)[0]) for one in spoilt.ids]
    recipe = feature_files.recipe(network="toy:zero")
    file = feature_files.write(tmp_path / "all.h5", records, [made], recipes=[recipe])
    found = compare([*rows[::2], file], tmp_path / "out", score="hit@1")
    assert [row.name for row in found.rows] == ["good", "poor", "all"]
    assert "hit@1" not in found.rows[2].scores
    assert len(found.differences) == 1
    assert "–" in str(found)


def test_an_equal_comparison_repeats_to_the_last_digit(rows, tmp_path, whole, monkeypatch):
    monkeypatch.setattr(run_module, "score_rows", score_rows)  # once more
    two = compare(rows[::-1], tmp_path / "two")
    assert without_files(numbers(two)) == without_files(whole)


def _hurt(file, **changed):
    """Write a result anew with other arrays, or with another JSON."""
    with np.load(file) as opened:
        arrays = dict(opened)
    known = json.loads(arrays["known"].tobytes())
    known["row"] |= changed.pop("row", {})
    arrays |= {name.replace("_", " "): one for name, one in changed.items()}
    arrays["known"] = np.frombuffer(json.dumps(known).encode(), np.uint8)
    np.savez(file, **arrays)


def _claim_rows(file):
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("known.npy", _header(10**13))


def _header(rows):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f8", "fortran_order": False, "shape": (rows,)}
    )
    return head.getvalue()


def _pack_a_bomb(file):
    with np.load(file) as opened:
        known = opened["known"]
    np.savez_compressed(file, known=known, **{"same accuracy": np.zeros((1000, 1000))})


@pytest.mark.parametrize(
    "hurt",
    [
        lambda file: file.write_bytes(b""),
        _claim_rows,
        _pack_a_bomb,
        lambda file: np.savez(file, known=np.array([{}], object)),
        lambda file: _hurt(file, same_accuracy=np.zeros((1, 5))),
        lambda file: _hurt(file, same_accuracy=np.full((1, 45), "a")),
        lambda file: _hurt(file, same_unknown=np.zeros((1, 45))),
        lambda file: _hurt(file, row={"name": "another"}),
        lambda file: _hurt(file, row={"accuracy": {"runs": [0.5, 0.5]}}),
        lambda file: file.rename(file.with_name("copy.npz")),
    ],
)
def test_results_that_are_not_what_was_written_are_named(rows, tmp_path, hurt):
    compare(rows[1:], tmp_path / "out")
    hurt(tmp_path / "out" / "results" / "fair.npz")
    with pytest.raises(FileFormatError, match=r"results.*npz is damaged, .* remove it"):
        compare(rows[1:], tmp_path / "out")


def test_nobody_elses_files_are_taken_for_a_comparison(rows, tmp_path):
    project = tmp_path / "project"
    for one in ("features", "results"):
        (project / one).mkdir(parents=True)
    mine = [project / "splits.csv", project / "splits.json", project / "results" / "mine.npz"]
    for file in mine:
        file.write_text('{"seed": 1}')
    with pytest.raises(OutputExistsError, match=r"holds splits\.csv, and no comparison"):
        compare(rows, project, overwrite=True)
    assert all(file.read_text() == '{"seed": 1}' for file in mine)


def test_one_that_was_begun_anew_and_killed_is_still_a_comparison(rows, tmp_path, monkeypatch):
    compare(rows, tmp_path / "out")
    with monkeypatch.context() as patched:
        patched.setattr(run_module.Splits, "draw", None)
        with pytest.raises(TypeError):
            compare(rows, tmp_path / "out", overwrite=True, seed=1)
    (tmp_path / "out" / "comparison.json").unlink()
    assert len(compare(rows, tmp_path / "out", seed=2).rows) == 3


def test_two_runs_do_not_divide_the_images_at_the_same_time(rows, tmp_path, monkeypatch):
    real = run_module.Splits.draw

    def draw(features, *options):
        with pytest.raises(OutputExistsError, match="is being written by another run"):
            compare(rows, tmp_path / "out", seed=7)
        return real(features, *options)

    monkeypatch.setattr(run_module.Splits, "draw", draw)
    assert len(compare(rows[:2], tmp_path / "out").rows) == 2
    assert not (tmp_path / "out" / ".run").exists()


def test_a_run_takes_the_parts_that_another_has_drawn_meanwhile(rows, tmp_path, monkeypatch):
    real, others = rows_module.load, []

    def opened(*args):
        if not others:
            others.append(None)
            others.append(compare(rows[2], tmp_path / "out", runs=2))
        return real(*args)

    monkeypatch.setattr(rows_module, "load", opened)
    found = compare(rows[:2], tmp_path / "out", runs=2)
    assert [row.name for row in found.rows] == ["good", "fair", "poor"]


def test_photos_whose_bytes_have_changed_are_refused_until_they_are_as_they_were(
    toy, photos, tmp_path
):
    found = compare(photos, tmp_path / "out", model=toy)
    photo, other = photos / "rose" / "rose_01.jpg", photos / "tulip" / "tulip_01.jpg"
    was = photo.read_bytes()
    photo.write_bytes(other.read_bytes())
    for views in ("none", "flip"):
        with pytest.raises(UsageError, match=r"1 image changed \(rose/rose_01\.jpg\)"):
            compare(photos, tmp_path / "out", model=toy, views=views)
    photo.write_bytes(was)
    assert numbers(compare(photos, tmp_path / "out", model=toy)) == numbers(found)
    photo.write_bytes(other.read_bytes())
    anew = compare(photos, tmp_path / "out", model=toy, overwrite=True)
    made = penult.load(tmp_path / "out" / anew.rows[0].file)
    two = made.take(["rose/rose_01.jpg", "tulip/tulip_01.jpg"]).features
    assert (two[0] == two[1]).all()
    assert len(compare(photos, tmp_path / "out", model=toy, views="flip").rows) == 2


def test_rows_that_are_gone_leave_out_how_alike_they_are(rows, tmp_path, caplog):
    compare(rows, tmp_path / "out")
    rows[0].unlink()
    with caplog.at_level(logging.WARNING, "penult"):
        found = compare(rows[1:], tmp_path / "out", similarity=True)
    assert "the rows of good are no longer in" in caplog.text
    assert found.cka.names == ("good", "fair", "poor")
    assert np.isnan(found.cka.matrix[0]).all()
    assert np.isfinite(found.cka.matrix[1][2])


def test_a_feature_file_that_was_moved_keeps_its_name(rows, tmp_path):
    found = compare(rows, tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    moved = rows[0].rename(tmp_path / "elsewhere" / "good.h5")
    again = compare(moved, tmp_path / "out")
    assert again.rows[0].file == str(moved)
    assert without_files(numbers(again)) == without_files(numbers(found))


def test_a_feature_file_that_is_damaged_is_named_with_what_to_do(toy, photos, tmp_path):
    compare(photos, tmp_path / "out", model=toy)
    (file,) = (tmp_path / "out" / "features").glob("*.h5")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(FeatureFileError, match="damaged HDF5 file; remove it, and it is made anew"):
        compare(photos, tmp_path / "out", model=toy)


def test_the_only_network_may_run_out_of_memory(rows, tmp_path, monkeypatch):
    def score(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(run_module, "score_rows", score)
    with pytest.raises(BackboneError, match="could be compared: good: it ran out of memory"):
        compare(rows[0], tmp_path / "out")


def test_a_file_in_the_place_of_a_folder_is_named(rows, tmp_path):
    compare(rows, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "results")
    (tmp_path / "out" / "results").write_text("mine")
    with pytest.raises(OutputError, match="results cannot be written"):
        compare(rows, tmp_path / "out")


def rows_that_know(folder, name, known):
    """The rows of a file, whose network some of its images trained."""
    features = penult.load(folder / f"{name}.h5")
    keys = keys_of(np.asarray(features.content)[known])
    records = [feature_files.record(one, one[0]) for one in features.ids]
    feature_files.write(
        folder / "tuned.h5",
        records,
        [features.features[:]],
        recipes=[feature_files.recipe(network="toy:tuned")],
        trained_on=[keys],
    )
    return folder / "tuned.h5"


def test_no_network_is_scored_on_images_that_trained_one_where_there_are_enough(rows, tmp_path):
    known = np.arange(45) % 15 < 12
    tuned = rows_that_know(tmp_path, "good", known)
    # The splits are drawn by the rows of the first, which knows nothing of the other.
    found = compare([rows[1], tuned], tmp_path / "out")
    assert found.splits["held_out"] == [9]
    with (tmp_path / "out" / "splits.csv").open() as file:
        parts = {row["id"]: row["run_1"] for row in csv.DictReader(file)}
    names = penult.load(tuned).ids
    assert [parts[str(name)] == "test" for name in names] == (~known).tolist()
    assert {row.name: row.trained_network for row in found.rows} == {"fair": None, "tuned": 0}
    assert found.recommended is not None


def test_a_network_that_is_added_later_may_know_what_is_held_out(rows, tmp_path):
    compare(rows[1:], tmp_path / "out")
    tuned = rows_that_know(tmp_path, "good", np.arange(45) % 15 < 12)
    found = compare(tuned, tmp_path / "out")
    (row,) = (row for row in found.rows if row.name == "tuned")
    with (tmp_path / "out" / "splits.csv").open() as file:
        held = [r for r in csv.DictReader(file) if r["run_1"] == "test"]
    assert row.trained_network == sum(int(r["id"][2:4]) % 15 < 12 for r in held) > 0
    assert found.recommended is None
    assert found.reason.startswith(f"tuned was trained on {row.trained_network} of the held-out")
    # Results of before say nothing of it, and are read all the same.
    again = compare(rows[1:], tmp_path / "out")
    assert [one.trained_network for one in again.rows] == [
        one.trained_network for one in found.rows
    ]


@pytest.mark.torch
def test_one_network_with_other_weights_is_measured_once(tiny, tmp_path, photos, monkeypatch):
    measured = []

    def measure(spec, records, **_options):
        measured.append(spec.rows.models)
        return penult.records.ModelCost(parameters=6, images_per_second=100.0 + len(measured))

    monkeypatch.setattr(rows_module, "measure_cost", measure)
    import torch

    network = open_backbone(tiny).cut(["penultimate"]).network
    for name in ("one", "two"):
        with torch.no_grad():
            network.last[0].weight.mul_(1.5)
        save_checkpoint(
            tmp_path / f"{name}.safetensors",
            network,
            architecture=tiny,
            preprocessing=open_backbone(tiny).preprocessing,
        )
    models = [str(tmp_path / "one.safetensors"), tiny, str(tmp_path / "two.safetensors")]
    found = compare(photos, tmp_path / "out", model=models, cost=True)
    assert len(measured) == 1
    assert {row.cost.images_per_second for row in found.rows} == {101.0}
    assert len(found.rows) == 3
