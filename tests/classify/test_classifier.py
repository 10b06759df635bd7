import dataclasses
import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from archives import forge, rewrite, unsealed
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from penult.classify.loading import describe_classifier, load_classifier
from penult.classify.training.train import train
from penult.errors import (
    ClassifierFileError,
    OutputExistsError,
    PathNotFoundError,
    RecipeMismatchError,
    UsageError,
    WrongFileError,
)
from penult.recipe import Recipe

COUNTS = {"daisy": 12, "rose": 12, "tulip": 12}


@pytest.fixture
def classifier(make_features):
    content = [f"{k:032x}" for k in range(sum(COUNTS.values()))]
    return train(make_features(COUNTS, noise=1, content=content), grid={"C": [1, 10]})


@pytest.fixture
def saved(classifier, tmp_path):
    classifier.save(tmp_path / "flowers.skops")
    return tmp_path / "flowers.skops"


@pytest.mark.parametrize("scale", ["l2", "standard", "none"])
def test_a_saved_classifier_comes_back_whole(make_features, tmp_path, scale):
    classifier = train(make_features(COUNTS, noise=1), scale=scale, grid={"C": [1, 10]})
    classifier.save(tmp_path / "a.skops")
    loaded = load_classifier(tmp_path / "a.skops")
    rows = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    assert (loaded.predict_features(rows) == classifier.predict_features(rows)).all()
    for name in ("label_names", "recipe", "scores", "held_out", "versions", "settings"):
        assert getattr(loaded, name) == getattr(classifier, name)
        assert getattr(describe_classifier(tmp_path / "a.skops"), name) == getattr(loaded, name)


def test_the_file_is_one_that_skops_itself_loads(saved, classifier):
    assert skops.io.get_untrusted_types(file=saved) == []
    rows = np.ones((1, 6), np.float32)
    expected = classifier.pipeline.predict_proba(rows)
    assert (skops.io.load(saved).predict_proba(rows) == expected).all()


def test_describing_a_file_loads_neither_skops_nor_scikit_learn(saved):
    program = (
        "import sys; from penult.classify.loading import describe_classifier;"
        f"print(describe_classifier({str(saved)!r}).label_names);"
        "sys.exit(bool({'skops', 'sklearn', 'torch'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


MEMBERS = ("trained_on.bin", "kept_rows.bin", "a.npy")


@pytest.mark.parametrize("read", [load_classifier, describe_classifier])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "another's"])
@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_that_is_not_what_was_written_is_never_passed_over(saved, read, damage, member):
    """A file of which the digests of its images were cut would call all images new, silently."""

    def change(members):
        name = next(name for name in members if name.endswith(member.lstrip("a")))
        data = members.pop(name)
        if damage != "gone":
            flipped = data[:-1] + bytes([data[-1] ^ 1])
            members[name] = {"empty": b"", "cut": data[: len(data) // 16 * 8]}.get(damage, flipped)

    rewrite(saved, change)
    with pytest.raises(ClassifierFileError, match=r"flowers\.skops .*(damaged|is refused)"):
        read(saved)


def test_a_file_from_before_members_were_listed_still_opens(saved):
    def without(members):
        description = json.loads(members["penult.json"])
        del description["members"]
        members["penult.json"] = json.dumps(description).encode()

    rewrite(saved, without)
    assert load_classifier(saved).trained_on is not None


def test_what_goes_wrong_while_skops_is_imported_is_no_damage_of_the_file(make_features, tmp_path):
    """Somebody's py.py beside the script: pytest, which skops imports, does `import py`."""
    features = make_features(COUNTS, noise=1)
    for kind in ("logistic", "knn"):  # the first of which is read without skops
        train(features, classifier=kind).save(tmp_path / f"{kind}.skops")
    (tmp_path / "py.py").write_text("import penult\nraise AttributeError('of my own script')")
    code = f"""
import sys, traceback
from penult.classify.loading import load_classifier
sys.path.insert(0, {str(tmp_path)!r})
for use in (
    lambda: load_classifier({str(tmp_path / "logistic.skops")!r}).pipeline.steps,
    lambda: load_classifier({str(tmp_path / "knn.skops")!r}),
):
    try:
        use()
    except AttributeError:
        traceback.print_exc()
sys.path.pop(0)
print(type(load_classifier({str(tmp_path / "logistic.skops")!r}).pipeline).__module__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "sklearn.pipeline\n"  # where nothing had imported it
    lines = done.stderr.splitlines()
    assert lines.count("AttributeError: of my own script") == 2
    assert lines[-1] == "AttributeError: of my own script"
    assert "damaged" not in done.stderr


def test_an_existing_file_is_replaced_only_on_request(classifier, saved):
    before = saved.read_bytes()
    with pytest.raises(OutputExistsError):
        classifier.save(saved)
    assert saved.read_bytes() == before
    classifier.save(saved, overwrite=True)
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_predictions_are_most_probable_first(classifier):
    probabilities = np.array([[0.2, 0.7, 0.1], [0.25, 0.25, 0.5]])
    first, second = classifier.predictions(["a.jpg", "b.jpg"], probabilities, top=2)
    assert (first.id, first.label, first.probability) == ("a.jpg", "rose", 0.7)
    assert first.top == (("rose", 0.7), ("daisy", 0.2))
    assert second.top == (("tulip", 0.5), ("daisy", 0.25))
    assert len(classifier.predictions(["a"], probabilities[:1], top=9)[0].top) == 3
    with pytest.raises(UsageError, match="top is 0"):
        classifier.predictions(["a"], probabilities[:1], top=0)


def test_probabilities_sum_to_one_whatever_the_number_of_rows(classifier):
    assert classifier.predict_features(np.empty((0, 6))).shape == (0, 3)
    assert classifier.predict_features(np.ones((1, 2, 3, 1))).shape == (1, 3)
    np.testing.assert_allclose(classifier.predict_features(np.ones((5, 6))).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param(np.ones((2, 7)), "7 numbers each, .* rows of 6", id="another length"),
        pytest.param(np.array([[1.0] * 6, [np.nan] * 6]), "first is row 1", id="not a number"),
    ],
)
def test_rows_that_do_not_fit_are_refused(classifier, rows, said):
    with pytest.raises(UsageError, match=said):
        classifier.predict_features(rows)


def test_rows_of_another_recipe_are_refused(classifier, recipe):
    classifier.require_recipe(recipe, other_name="the feature file")
    other = Recipe(**{**vars(recipe), "layer": "logits"})
    with pytest.raises(RecipeMismatchError, match=r"roses\.h5 .*'penultimate' and 'logits'"):
        classifier.require_recipe(other, other_name="roses.h5")


class Bomb:
    """Leaves a trace when unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (open, (str(self.trace), "w"))


def test_a_pickle_is_refused_and_not_opened(tmp_path):
    path = tmp_path / "evil.skops"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    with pytest.raises(ClassifierFileError, match=r"evil\.skops is a pickle"):
        load_classifier(path)
    assert not (tmp_path / "trace").exists()


def test_a_pickle_inside_an_array_is_refused_and_not_opened(saved, tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb(tmp_path / "trace")]), allow_pickle=True)
    rewrite(
        saved, lambda m: {k: buffer.getvalue() if k.endswith("npy") else v for k, v in m.items()}
    )
    with pytest.raises(ClassifierFileError):
        load_classifier(saved)
    assert not (tmp_path / "trace").exists()


def test_a_type_that_no_classifier_holds_is_refused(saved):
    evil = Pipeline([("run", FunctionTransformer(func=eval)), ("classifier", LogisticRegression())])
    with zipfile.ZipFile(saved) as archive:
        description = archive.read("penult.json")
    saved.write_bytes(skops.io.dumps(evil))
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("penult.json", unsealed(description))
    with pytest.raises(ClassifierFileError, match=r"holds builtins\.eval, .*FunctionTransformer"):
        load_classifier(saved)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        pytest.param(
            {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"},
            r"os\.system",
            id="a function",
        ),
        pytest.param(
            {"__class__": "dict", "__module__": "builtins", "__loader__": "MethodNode"},
            r"builtins\.dict",
            id="a known type through another loader",
        ),
        pytest.param(
            {"__class__": "RandomForestClassifier", "__module__": "sklearn.ensemble._forest"},
            "RandomForestClassifier",
            id="a type without a loader",
        ),
        pytest.param(
            {"__class__": "str", "__module__": "builtins", "__loader__": ["JsonNode"]},
            r"builtins\.str",
            id="a loader that is no name",
        ),
    ],
)
def test_a_schema_is_refused_for_any_node_that_is_not_listed(saved, node, said):
    def plant(members):
        schema = json.loads(members["schema.json"])
        schema["content"]["content"]["verbose"] = node
        members["schema.json"] = json.dumps(schema).encode()

    forge(saved, plant)
    with pytest.raises(ClassifierFileError, match=said):
        load_classifier(saved)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(saved):
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(50_000_000))
    assert saved.stat().st_size < 1_000_000
    for read in (load_classifier, describe_classifier):
        with pytest.raises(ClassifierFileError, match="unpack to more than was sent"):
            read(saved)


def test_members_that_overlap_are_a_bomb_too(saved):
    # Every directory entry is pointed at the first member and claims its size.
    with zipfile.ZipFile(saved, "a") as archive:
        biggest = max(archive.infolist(), key=lambda m: m.file_size)
        for number in range(50):
            copy = zipfile.ZipInfo(f"{number}.npy")
            for name in ("file_size", "compress_size", "CRC", "header_offset"):
                setattr(copy, name, getattr(biggest, name))
            archive.filelist.append(copy)
        archive._didModify = True
    with pytest.raises(ClassifierFileError, match="unpack to more than was sent"):
        load_classifier(saved)


def test_an_array_that_claims_to_be_huge_is_refused(saved):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    )
    rewrite(
        saved, lambda m: {k: header.getvalue() if k.endswith("npy") else v for k, v in m.items()}
    )
    with pytest.raises(ClassifierFileError):
        load_classifier(saved)


def test_arrays_that_do_not_fit_together_are_refused(saved):
    small = io.BytesIO()
    np.save(small, np.ones((3, 2)))
    rewrite(
        saved, lambda m: {k: small.getvalue() if k.endswith("npy") else v for k, v in m.items()}
    )
    with pytest.raises(ClassifierFileError):
        load_classifier(saved)


def test_a_schema_nested_without_end_is_refused(saved):
    rewrite(saved, lambda m: {**m, "schema.json": b'{"content":' * 100_000})
    with pytest.raises(ClassifierFileError):
        load_classifier(saved)


def test_a_truncated_file_is_refused_wherever_it_ends(saved):
    data = saved.read_bytes()
    for end in (1, len(data) // 3, len(data) - 5):
        saved.write_bytes(data[:end])
        with pytest.raises(ClassifierFileError, match=r"flowers\.skops"):
            load_classifier(saved)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(100), "is a feature file", id="feature file"),
        pytest.param(b"hello", "is not a classifier file", id="text"),
        pytest.param(b"", "is not a classifier file", id="empty"),
    ],
)
def test_another_file_is_called_what_it_is(tmp_path, data, said):
    path = tmp_path / "a.skops"
    path.write_bytes(data)
    with pytest.raises(ClassifierFileError, match=said):
        load_classifier(path)


def test_a_network_without_a_classifier_says_how_to_train_one(tmp_path):
    path = tmp_path / "small.penult"
    path.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(WrongFileError, match=r"network without .* penult.extract.* penult.train"):
        load_classifier(path)


def test_a_model_saved_by_skops_alone_says_what_it_lacks(tmp_path):
    skops.io.dump(LogisticRegression(), tmp_path / "a.skops")
    with pytest.raises(ClassifierFileError, match="saved by skops itself"):
        load_classifier(tmp_path / "a.skops")


def test_a_file_of_a_newer_penult_says_so(saved):
    def renumber(members):
        data = json.loads(members["penult.json"])
        members["penult.json"] = json.dumps({**data, "format": 2}).encode()

    rewrite(saved, renumber)
    with pytest.raises(ClassifierFileError, match="newer penult"):
        describe_classifier(saved)


def test_no_file_and_a_folder_are_said_apart(tmp_path):
    with pytest.raises(PathNotFoundError, match="no such file"):
        load_classifier(tmp_path / "none.skops")
    with pytest.raises(ClassifierFileError, match="is a folder"):
        load_classifier(tmp_path)


def changed(value, *path):
    """Put `value` at `path` into penult.json; the recipe is JSON inside it."""

    def change(members):
        data = json.loads(members["penult.json"])
        data["recipe"] = json.loads(data["recipe"])
        place = data
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        if isinstance(data["recipe"], dict):
            data["recipe"] = json.dumps(data["recipe"])
        members["penult.json"] = json.dumps(data).encode()

    return change


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1], ("recipe",)),
        (None, ("recipe", "layer")),
        (["x"], ("recipe", "backbone")),
        ("__import__", ("recipe", "preprocessing", "interpolation")),
        ([0.5, "x", 0.5], ("recipe", "preprocessing", "mean")),
        ([8, 8, 8], ("recipe", "preprocessing", "crop")),
        ({"penult": 1}, ("recipe", "versions")),
        (1, ("recipe", "unheard_of")),
        (["daisy"], ("label_names",)),
        ("100%", ("scores", "accuracy")),
        (True, ("scores", "images")),
        ([None], ("held_out", "probability")),
        ({}, ("settings",)),
        ("C=1", ("settings", "params")),
        ([], ("settings", "classes")),
    ],
)
def test_a_tampered_description_is_refused(saved, value, path):
    rewrite(saved, changed(value, *path))
    with pytest.raises(ClassifierFileError, match=r"flowers\.skops"):
        load_classifier(saved)


@pytest.mark.parametrize(
    ("name", "value"), [("label_names", None), ("versions", 5), ("recipe", [1])]
)
def test_what_is_wrong_with_a_description_is_named(saved, name, value):
    rewrite(saved, changed(value, name))
    with pytest.raises(ClassifierFileError, match=f"{name} is "):
        load_classifier(saved)


@pytest.mark.parametrize("data", [b"[]", b"null", b"{", b"\xff", b'{"format": 1}', b"[" * 100_000])
def test_a_description_that_is_none_is_refused(saved, data):
    rewrite(saved, lambda m: {**m, "penult.json": data})
    for read in (load_classifier, describe_classifier):
        with pytest.raises(ClassifierFileError, match=r"flowers\.skops"):
            read(saved)


def test_rows_may_be_given_as_features(make_features):
    features = make_features({"a": 12, "b": 12})
    classifier = train(features, classifier="centroid", folds=2)
    theirs = classifier.predict_features(features.features)
    np.testing.assert_array_equal(classifier.predict_features(features), theirs)
    assert len(classifier.similarity(features)) == 24
    other = dataclasses.replace(features.recipe, layer="another")
    with pytest.raises(RecipeMismatchError, match=r"the classifier and these features have"):
        classifier.predict_features(dataclasses.replace(features, recipe=other))
    for wrong in ("rows.h5", 3, None, [["a"]]):
        with pytest.raises(UsageError, match=r"^rows is .*; give an array of shape"):
            classifier.predict_features(wrong)


def test_a_file_of_pytorchs_says_where_to_look_into_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", b"")
    with pytest.raises(WrongFileError, match=r"is a file of PyTorch's, .*penult\.layers.*net\.pt"):
        load_classifier(tmp_path / "net.pt")


def test_a_file_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    (tmp_path / "a.skops").write_bytes(b"hello")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(zipfile, "is_zipfile", lambda _path: False)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ClassifierFileError, match=r"a\.skops cannot be read: permission denied"):
        load_classifier(tmp_path / "a.skops")
