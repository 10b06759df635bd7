"""Each set of rows has a name of its own; a file that needs no names is one of format 1."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.classify.diagnosis.layers import choose_layers
from penult.classify.evaluation.evaluate import load_rows_for
from penult.errors import FeatureFileError, RecipeMismatchError, UnknownNameError, UsageError
from penult.features import schema
from penult.features.read import load
from penult.features.write import Columns, FeatureWriter
from penult.recipe import AveragedRecipe, BackboneRecipe, JoinedRecipe
from penult.records import Changes, Failure

RECORDS = [record("a/1.jpg", "a"), record("b/2.jpg", "b"), record("b/3.jpg", "b", group="g")]
LITE0, LITE1 = recipe(), recipe(network="toy:other")
JOINED = JoinedRecipe((LITE0, AveragedRecipe(LITE1, "flip")))
NAMES = ("lite0/penultimate", "lite1/penultimate", "joined")


@pytest.fixture
def three(tmp_path) -> Path:
    """Two networks that both have a penultimate layer, and both joined; row k is all k."""
    rows = [np.repeat(np.arange(3, dtype=np.float32)[:, None], n, axis=1) for n in (2, 1, 3)]
    recipes = [LITE0, LITE1, JOINED]
    return write(tmp_path / "f.h5", RECORDS, rows, recipes=recipes, names=NAMES)


def test_rows_of_two_networks_and_both_joined_are_told_apart_by_their_names(three):
    features = load(three)
    assert features.layers == NAMES
    assert features.name == "joined"
    assert features.recipe == JOINED
    assert features.features[2].tolist() == [2, 2, 2]
    first = load(three, "lite0/penultimate")
    assert (first.name, first.recipe, first.layers) == (NAMES[0], LITE0, NAMES)
    assert first.features[1].tolist() == [1, 1]
    assert load(three, NAMES[1]).recipe == LITE1
    assert "layer lite0/penultimate, 2 other layers in the file" in repr(first)


def test_an_unknown_name_is_told_which_there_are(three):
    with pytest.raises(UnknownNameError, match=r"did you mean joined") as told:
        load(three, "join")
    assert str(three) in str(told.value)


def test_a_layers_own_name_will_do_where_one_set_of_rows_is_of_it(tmp_path, three):
    rows = [np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)]
    recipes = [recipe("early"), recipe()]
    names = ("lite0/early", "lite0/penultimate")
    path = write(tmp_path / "g.h5", RECORDS, rows, recipes=recipes, names=names)
    assert load(path, "early").name == "lite0/early"
    assert choose_layers(path, ["penultimate"]) == ["lite0/penultimate"]
    assert choose_layers(path, ["*/early", "penultimate"]) == list(names)
    for ask in (lambda: load(three, "penultimate"), lambda: choose_layers(three, ["penultimate"])):
        with pytest.raises(
            UnknownNameError, match=r"did you mean lite\d/penultimate, lite\d/penultimate"
        ):
            ask()


def test_an_older_penult_says_that_such_a_file_is_newer(three):
    with h5py.File(three) as file:
        assert file.attrs["format"] == 2  # which it compares with its own, 1, before all else


def as_format_1(path: Path, rows, layers, created: str) -> Path:
    """The file as the writer of format 1 made it, call for call, but with checksums."""
    text = h5py.string_dtype("utf-8")
    with path.open("w+b") as raw, h5py.File(raw, "w") as file:
        file.attrs["format"] = 1
        file.attrs["penult"] = penult.__version__
        file.attrs["recipe"] = recipe(layers[-1]).to_json()
        file.attrs["origin"] = "{}"
        file.attrs["created"] = created
        file.create_dataset("label_names", data=np.array(["a", "b"], dtype=object), dtype=text)
        for name, kind in (("ids", text), ("content", text), ("labels", "i8"), ("groups", text)):
            file.create_dataset(
                name, (0,), kind, maxshape=(None,), chunks=(1024,), fletcher32=kind is not text
            )
        sets = []
        for k, (layer, block) in enumerate(zip(layers, rows, strict=True)):
            name = f"layers/{layer}" if len(layers) > 1 else "features"
            width = block.shape[1]
            chunks = (1 << 16) // width, width
            stored = file.create_dataset(
                name, (0, width), "f4", maxshape=(None, width), chunks=chunks, fletcher32=True
            )
            stored.attrs["recipe"] = recipe(layer).to_json()
            stored.attrs["position"] = k
            sets.append(stored)
        if len(layers) > 1:
            file["features"] = h5py.SoftLink(f"/layers/{layers[-1]}")
        for end in (2, 3):
            start = 0 if end == 2 else 2
            for stored, block in zip(sets, rows, strict=True):
                stored.resize(end, axis=0)
                stored[start:end] = block[start:end]
            for name, values in (
                ("ids", [one.id for one in RECORDS]),
                ("content", [f"{k:032x}" for k in range(3)]),
                ("labels", [0, 1, 1]),
                ("groups", ["a/1.jpg", "b/2.jpg", "g"]),
            ):
                file[name].resize(end, axis=0)
                file[name][start:end] = values[start:end]
        pair = np.dtype([("id", text), ("reason", text)])
        file.create_dataset("failures", data=np.array([("bad", "is empty")], pair), dtype=pair)
    return path


@pytest.mark.parametrize("layers", [("penultimate",), ("maps", "last")])
def test_what_needs_nothing_new_is_written_as_before_byte_for_byte(tmp_path, layers):
    rows = [np.full((3, 4 + k), k, np.float32) for k in range(len(layers))]
    path = write(
        tmp_path / "f.h5", RECORDS, rows, layers=layers, failures=[Failure("bad", "is empty")]
    )
    with h5py.File(path) as file:
        created = file.attrs["created"]
    before = as_format_1(tmp_path / "before.h5", rows, layers, created)
    assert path.read_bytes() == before.read_bytes()


@pytest.mark.parametrize(
    ("recipes", "names"),
    [
        pytest.param([LITE0], ["mine"], id="a name that is not the layer's"),
        pytest.param([AveragedRecipe(LITE0, "flip")], None, id="a recipe that is no backbone's"),
    ],
)
def test_one_set_of_rows_may_need_format_2(tmp_path, recipes, names):
    path = write(tmp_path / "f.h5", RECORDS, [np.eye(3)], recipes=recipes, names=names)
    with h5py.File(path) as file:
        assert file.attrs["format"] == 2
    features = load(path)
    assert (features.name, features.recipe) == ((names or ["penultimate"])[0], recipes[0])
    assert features.features[:].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("names", [("a", "a"), ("a",), ("a", "b", "c")])
def test_names_are_as_many_as_recipes_and_each_is_another(names):
    with pytest.raises(ValueError, match="for 2 sets of rows"):
        FeatureWriter(None, [LITE0, LITE1], Columns(()), names)


def rename(name):
    def change(file):
        if name is None:
            del file["layers/joined"].attrs["name"]
        else:
            file["layers/joined"].attrs["name"] = name

    return change


@pytest.mark.parametrize("name", [None, 3, NAMES[0]], ids=["none", "a number", "another's"])
def test_a_file_whose_rows_have_no_good_names_is_refused(three, name):
    with h5py.File(three, "a") as file:
        rename(name)(file)
    with pytest.raises(FeatureFileError, match=r"is damaged") as told:
        load(three)
    assert "\n" not in str(told.value)


def test_a_classifier_finds_its_rows_by_its_recipe_whatever_they_are_called(three, tmp_path):
    records = [record(f"{label}/{k}.jpg", label) for label in "ab" for k in range(8)]
    rows = [np.eye(16, dtype=np.float32)[:, : n + 2] for n in range(3)]
    many = write(tmp_path / "many.h5", records, rows, recipes=[LITE0, LITE1, JOINED], names=NAMES)
    trained = penult.train(many, layer="lite1/penultimate", folds=2)
    assert (trained.layer, trained.recipe) == (NAMES[1], LITE1)
    assert "layer lite1/penultimate (one of 3)" in repr(trained)
    assert trained.settings.file_layers == NAMES
    plain = write(tmp_path / "plain.h5", records, rows[1:], recipes=[LITE1, recipe("last")])
    assert load_rows_for(trained, many).name == "lite1/penultimate"
    assert load_rows_for(trained, plain).name == "penultimate"
    assert penult.evaluate(trained, plain).scores.images == 16


def test_the_best_of_several_sets_of_rows_is_known_by_its_name(tmp_path):
    records = [record(f"{label}/{k}.jpg", label) for label in "ab" for k in range(8)]
    labels = np.repeat([0, 1], 8)
    good, bad = np.eye(2, dtype=np.float32)[labels], np.ones((16, 2), np.float32)
    recipes, names = [LITE0, LITE1, JOINED], NAMES
    path = write(tmp_path / "f.h5", records, [bad, good, bad], recipes=recipes, names=names)
    best = penult.train(path, tmp_path / "c.skops", layer="all", folds=2)
    assert best.layer == "lite1/penultimate"
    assert [result.layer for result in best.settings.layers] == list(NAMES)
    assert "lite1/penultimate ◀" in best._repr_html_()
    assert penult.info(tmp_path / "c.skops").layer == "lite1/penultimate"


def test_a_classifier_of_a_layers_own_name_says_nothing_new_in_its_file(tmp_path):
    records = [record(f"{label}/{k}.jpg", label) for label in "ab" for k in range(8)]
    path = write(tmp_path / "f.h5", records, [np.eye(16, dtype=np.float32)])
    trained = penult.train(path, folds=2)
    assert trained.layer == "penultimate"
    assert "layer" not in trained.settings.to_dict()


def test_exported_rows_and_what_is_told_of_a_file_go_by_names(three, tmp_path):
    exported = penult.export_rows(three, tmp_path / "rows.csv", layer="lite0/penultimate")
    assert (exported.layer, exported.shape) == ("lite0/penultimate", (2,))
    shown = load(three, "lite0/penultimate")
    assert penult.export_rows(shown, tmp_path / "2.csv", layer=NAMES[0]).layer == NAMES[0]
    with pytest.raises(UsageError, match="rows in memory have one layer, lite0/penultimate"):
        penult.export_rows(shown, tmp_path / "3.csv", layer="joined")
    told = penult.info(three)
    assert told.layers == NAMES
    assert [one.layer for one in told.recipes[:2]] == ["penultimate"] * 2
    assert told.shapes == ((3, 2), (3, 1), (3, 3))


def test_features_made_in_memory_are_called_by_their_layer():
    made = penult.Features(
        features=np.ones((1, 2), np.float32),
        ids=["a"],
        labels=np.array([0]),
        label_names=("a",),
        recipe=LITE0,
    )
    assert made.name == "penultimate"
    assert isinstance(made.recipe, BackboneRecipe)
    assert schema.FORMAT == 2


@pytest.mark.parametrize(
    ("recipes", "names", "typed"),
    [
        pytest.param(
            [recipe("early"), recipe()],
            ("early", "penultimate"),
            "--model toy:net --layer early --layer penultimate",
            id="layers of one network",
        ),
        pytest.param(
            [JoinedRecipe((recipe("early"), recipe()))],
            ("joined",),
            "--model toy:net --layer early --layer penultimate --join",
            id="the same joined",
        ),
        pytest.param(
            [JOINED],
            ("joined",),
            "--model toy:net --model toy:other --views flip",
            id="two networks",
        ),
        pytest.param(
            [LITE0, LITE1],
            NAMES[:2],
            "--model toy:net --model toy:other --no-join",
            id="two networks apart",
        ),
    ],
)
def test_what_to_type_to_get_such_rows_again(monkeypatch, recipes, names, typed):
    from penult.backbones.weights.choice import WeightsChoice
    from penult.reporting import commands

    monkeypatch.setattr(commands, "as_recorded", lambda leaf, *_: (leaf.backbone, WeightsChoice()))
    told = commands.extract_command(recipes, names, {"sources": ["p"]})
    assert told == f"penult extract p -o features.h5 {typed}"


@pytest.fixture
def graph():
    from toys import GraphOfMeans

    from penult.backbones.registry import register, unregister

    register(GraphOfMeans())
    yield "graph:means"
    unregister("graph")


def test_two_networks_apart_or_joined_are_extracted_updated_and_verified(
    photos, toy, graph, tmp_path
):
    """Both give an image's mean colour; each is scaled to length one where they are joined."""
    file, both = tmp_path / "f.h5", {"model": [toy, graph]}
    apart = penult.extract(photos, file, join=False, **both)
    assert apart.layers == ("mean-colour/penultimate", "means/penultimate")
    assert penult.plan(photos, file, update=True, join=False, **both).changes == Changes()
    assert penult.extract(photos, file, update=True, join=False, **both).changes == Changes()
    with pytest.raises(RecipeMismatchError, match="layers: 'mean-colour/penultimate, means/pen"):
        penult.extract(photos, file, update=True, **both)
    verified = penult.verify(file)
    assert verified.passed
    assert [one.layer for one in verified.agreements] == list(apart.layers)
    joined = penult.extract(photos, tmp_path / "j.h5", **both)
    assert (joined.name, joined.layers) == ("joined", ("joined",))
    means = load(file, "means/penultimate").features[:]
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(joined.features[:], np.hstack([means, means]), atol=1e-6)
