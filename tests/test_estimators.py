"""The scikit-learn transformer: scikit-learn's own checks, and every form an image may come in."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import small_images
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import InputTags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from toys import MeanColour

import penult
from penult import FeatureExtractor
from penult.backbones import bundled
from penult.backbones.backbone import Backbone
from penult.backbones.weights.info import WeightsInfo
from penult.errors import ImageError, RecipeMismatchError, UnknownNameError, UsageError
from penult.extractor import opened


@pytest.fixture
def extractor(toy):
    return FeatureExtractor(model=toy)


@pytest.fixture
def paths(photos):
    return sorted(photos.rglob("*.jpg"))


@pytest.fixture
def labels(paths):
    return [path.parent.name for path in paths]


class OfPaintedTables(FeatureExtractor):
    """scikit-learn's checks feed tables of numbers: each row is painted as a grey strip here, so that
    `FeatureExtractor.fit` and `.transform` are put through them. Only the table is not their business.
    """

    def fit(self, X, y=None):  # noqa: N803
        return super().fit(painted(validate_data(self, X)))

    def transform(self, X):  # noqa: N803
        check_is_fitted(self)
        return super().transform(painted(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = InputTags(two_d_array=True)
        return tags


def painted(table):
    return list((128 + 32 * table).clip(0, 255).astype(np.uint8)[:, None, :])


@parametrize_with_checks([OfPaintedTables(model="toy:mean-colour")])
def test_scikit_learn_finds_nothing_wrong(estimator, check, toy):
    check(estimator)


def test_init_stores_and_does_nothing_else(toy, monkeypatch):
    monkeypatch.setattr(MeanColour, "open", lambda *_: pytest.fail("opened"))
    kept = FeatureExtractor(model=toy, batch_size=-1, layer="nonsense")
    assert kept.get_params()["batch_size"] == -1
    assert not [name for name in vars(kept) if name.endswith("_")]
    assert clone(kept).layer == "nonsense"


def test_what_is_learned_is_the_recipe_and_the_length_of_a_row(extractor, paths, photos):
    extractor.fit(paths)
    assert extractor.recipe_ == penult.extract(photos, model="toy:mean-colour").recipe
    assert extractor.n_features_out_ == 3
    assert extractor.get_feature_names_out().tolist() == [
        "penultimate_0",
        "penultimate_1",
        "penultimate_2",
    ]


def test_rows_are_those_of_extract(extractor, paths, photos):
    features = penult.extract(photos, model="toy:mean-colour")
    assert np.array_equal(extractor.fit_transform(paths), features.features[:])


def colour(*rgb, size=(6, 4)):
    return np.full((*size, len(rgb)), rgb, np.uint8)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(colour(255, 51, 0), [1, 0.2, 0], id="RGB array"),
        pytest.param(colour(51)[:, :, 0], [0.2, 0.2, 0.2], id="grey array"),
        pytest.param(colour(255, 0, 0, 0), [1, 1, 1], id="transparent array, over white"),
        pytest.param(colour(255, 0, 51, 255), [1, 0, 0.2], id="opaque array"),
        pytest.param(colour(255, 51, 0)[::2, ::-1], [1, 0.2, 0], id="array that is a view"),
        pytest.param(Image.new("L", (5, 5), 51), [0.2, 0.2, 0.2], id="grey Pillow image"),
        pytest.param(Image.new("RGBA", (5, 5), (9, 9, 9, 0)), [1, 1, 1], id="transparent Pillow image"),
        pytest.param(Image.new("CMYK", (5, 5), (0, 255, 255, 0)), [1, 0, 0], id="CMYK Pillow image"),
        pytest.param(Image.new("1", (5, 5), 1), [1, 1, 1], id="black and white Pillow image"),
        pytest.param(
            Image.fromarray(np.full((5, 5), 51 * 257, np.uint16)), [0.2] * 3, id="16-bit Pillow image"
        ),
    ],
)  # fmt: skip
def test_an_image_in_memory_becomes_the_row_worked_out_by_hand(extractor, image, expected):
    (row,) = extractor.fit_transform([image])
    np.testing.assert_allclose(row, expected, atol=1e-6)


def photo_with(tmp_path, name, mode, **options):
    rng = np.random.default_rng(1)
    bands = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,), "P": ()}[mode]
    pixels = rng.integers(0, 256, (30, 40, *bands), dtype=np.uint8)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = image.convert("RGB").quantize(8)
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("photo.jpg", "RGB", {}),
        ("grey.jpg", "L", {}),
        ("photo.png", "RGBA", {}),
        ("grey.png", "LA", {}),
        ("palette.png", "P", {"transparency": 3}),
        ("palette.gif", "P", {}),
        ("photo.webp", "RGBA", {}),
        ("photo.tif", "RGB", {}),
    ],
)
@pytest.mark.parametrize("loaded", [False, True], ids=["opened", "loaded"])
def test_a_path_its_pillow_image_and_its_array_give_the_same_row(
    extractor, tmp_path, name, mode, options, loaded
):
    path = photo_with(tmp_path, name, mode, **options)
    with Image.open(path) as image:
        if loaded:
            image.load()
        array = np.asarray(image if mode in ("L", "RGB", "RGBA") else image.convert("RGBA"))
        rows = extractor.fit_transform([path, str(path), image, array])
    assert np.array_equal(rows, np.tile(rows[0], (4, 1)))


def test_a_pillow_image_is_turned_upright_as_its_file_is(extractor, tmp_path, toy):
    path = tmp_path / "turned.jpg"
    halves = np.zeros((16, 16, 3), np.uint8)
    halves[:8] = 255
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(halves).save(path, exif=exif, quality=95)
    maps = FeatureExtractor(model=toy, layer="pixels", pooling="flatten")
    with Image.open(path) as image:
        ours, theirs, untouched = maps.fit_transform([path, image, np.asarray(image)])
    assert np.array_equal(ours, theirs)
    assert not np.array_equal(ours, untouched)


def test_one_array_of_many_images(extractor):
    stack = np.stack([colour(0, 0, 0), colour(255, 0, 51)])
    np.testing.assert_allclose(extractor.fit_transform(stack), [[0, 0, 0], [1, 0, 0.2]], atol=1e-6)
    grey = np.stack([np.zeros((9, 7), np.uint8), np.full((9, 7), 51, np.uint8)])
    np.testing.assert_allclose(extractor.transform(grey), [[0] * 3, [0.2] * 3], atol=1e-6)


def test_sizes_and_kinds_may_be_mixed_and_order_is_kept(extractor, tmp_path):
    path = tmp_path / "white.png"
    Image.new("RGB", (3, 900), "white").save(path)
    images = [colour(51, 51, 51, size=(100, 9)), path, Image.new("L", (1, 1), 0), str(path)]
    rows = extractor.fit_transform(images)
    np.testing.assert_allclose(rows[:, 0], [0.2, 1, 0, 1], atol=1e-6)


@pytest.mark.parametrize("dtype", [object, str])
def test_a_column_of_paths(extractor, paths, dtype):
    column = np.array([str(path) for path in paths], dtype=dtype)
    expected = extractor.fit_transform(paths)
    assert np.array_equal(extractor.transform(column), expected)
    assert np.array_equal(extractor.transform(column[:, None]), expected)
    assert np.array_equal(extractor.transform(tuple(column)), expected)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        pytest.param([], "no images", id="nothing"),
        pytest.param("photo.jpg", "one str .* put it in a list", id="one path"),
        pytest.param(Path("photo.jpg"), "one PosixPath|one WindowsPath", id="one Path"),
        pytest.param(Image.new("L", (2, 2)), "one Pillow image .* put it in a list", id="one image"),
        pytest.param(colour(1, 2, 3), "one image and not several", id="one array"),
        pytest.param(colour(1)[:, :, 0], "one image and not several", id="one grey array"),
        pytest.param(colour(1, 2, 3) / 255, r"float64 array of shape \(6, 4, 3\)|image 0", id="floats"),
        pytest.param([colour(1, 2, 3) / 255], "image 0 is a float64 array", id="a list of floats"),
        pytest.param([colour(1, 2)], r"image 0 is a uint8 array of shape \(6, 4, 2\)", id="two bands"),
        pytest.param(["a.jpg", None], "image 1 is a NoneType", id="None"),
        pytest.param(b"\xff\xd8", "one bytes .* put it in a list", id="bytes"),
        pytest.param([np.zeros((0, 4, 3), np.uint8)], "without pixels", id="no pixels"),
        pytest.param(np.zeros((3, 5)), r"float64 array of shape \(3, 5\)", id="a table of numbers"),
        pytest.param(np.array([["a", "b"]]), r"shape \(1, 2\); give a column", id="two columns"),
        pytest.param({"a": 1}, "a dict was given", id="a dict"),
        pytest.param(7, "a int was given", id="a number"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused_when_fitted_and_when_used(extractor, images, message):
    with pytest.raises(UsageError, match=message) as caught:
        extractor.fit(images)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        extractor.fit().transform(images)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "toy:mean-color"}, UnknownNameError, "did you mean mean-colour"),
        ({"layer": "penultimat"}, UnknownNameError, "did you mean penultimate"),
        ({"layer": "*"}, UsageError, "is 6 layers"),
        ({"layer": "pixels", "pooling": "none"}, UsageError, "give pooling='flatten'"),
        ({"normalize": "l1"}, UsageError, "allowed: none, l2"),
        ({"engine": "steam"}, UnknownNameError, "allowed: auto, "),
        ({"batch_size": 0}, UsageError, "batch_size is 0"),
        ({"workers": -2}, UsageError, "workers is -2"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_fit(extractor, paths, options, error, message):
    with pytest.raises(error, match=message):
        extractor.set_params(**options).fit(paths)


def test_an_image_for_which_the_network_gives_nan_is_named(extractor, paths, monkeypatch):
    from penult.extractor.opened import SharedEngine

    extractor.fit(paths)
    run = SharedEngine.run
    monkeypatch.setattr(SharedEngine, "run", lambda self, x: [r * np.nan for r in run(self, x)])
    with pytest.raises(ImageError, match=rf"{paths[0].name}: the network gives NaN for it"):
        extractor.transform(paths)


def test_an_image_that_cannot_be_read_is_named(extractor, paths, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    extractor.fit([*paths, tmp_path / "text.jpg"])
    with pytest.raises(ImageError, match=r"text\.jpg: is not an image"):
        extractor.transform([*paths, tmp_path / "text.jpg"])
    with pytest.raises(ImageError, match=r"nowhere\.jpg: is not there"):
        extractor.transform([*paths, tmp_path / "nowhere.jpg"])
    with pytest.raises(
        ImageError, match=r"is not there; did you mean .*text\.jpg\? Capitals count"
    ):
        extractor.transform([tmp_path / "Text.JPG"])
    floats = Image.fromarray(np.zeros((4, 4), np.float32))
    with pytest.raises(ImageError, match=r"image 1 \(Pillow image of mode F\): holds floating"):
        extractor.transform([paths[0], floats])
    with Image.open(paths[0]) as closed:
        pass
    with pytest.raises(ImageError, match=r"image 0 .* is damaged"):
        extractor.transform([closed])


def test_an_estimator_that_was_not_fitted_says_so(extractor, paths):
    with pytest.raises(NotFittedError):
        extractor.transform(paths)


@pytest.fixture
def built(monkeypatch):
    """The networks that were built, by name."""
    names = []
    network = Backbone.__dict__["network"].func

    def build(self):
        names.append(self.name)
        return network(self)

    monkeypatch.setattr(Backbone.__dict__["network"], "func", build)
    return names


def test_clones_and_copies_share_one_network(toy, paths, built):
    extractor = FeatureExtractor(model=toy, engine="torch")
    rows = extractor.fit_transform(paths)
    clone(extractor).fit_transform(paths)
    copy = pickle.loads(pickle.dumps(extractor))
    assert np.array_equal(copy.transform(paths), rows)
    clone(extractor).set_params(layer="logits").fit_transform(paths)
    assert built == ["toy:mean-colour"]


def test_a_pickle_from_when_pooling_was_called_pool_opens(toy, paths):
    old = FeatureExtractor(toy, layer="pixels", pooling="max").fit(paths)
    state = dict(old.__getstate__())
    del state["pooling"]
    state["pool"] = "max"
    new = FeatureExtractor.__new__(FeatureExtractor)
    new.__setstate__(state)
    assert np.array_equal(new.transform(paths), old.transform(paths))
    assert new.get_params()["pooling"] == "max"


def test_a_pickle_holds_no_network(extractor, paths):
    assert len(pickle.dumps(extractor.fit(paths))) < 2_000


def test_only_the_last_few_networks_are_kept(toy, built, monkeypatch):
    monkeypatch.setattr(opened, "KEPT", 1)
    one = FeatureExtractor(model=toy, engine="torch")
    other = FeatureExtractor(model=toy, engine="torch", offline=True)
    for extractor in (one, one, other, other, one):
        extractor.fit()
    assert len(built) == 3


def test_another_network_than_was_fitted_is_refused(extractor, paths, monkeypatch):
    extractor.fit(paths)
    opened.close_all()
    open_toy = MeanColour.open

    def other(self, name, choice):
        backbone = open_toy(self, name, choice)
        return backbone.replace(weights=WeightsInfo("mean-colour 2", "71" * 32))

    monkeypatch.setattr(MeanColour, "open", other)
    with pytest.raises(RecipeMismatchError, match="weights_sha256"):
        extractor.transform(paths)


def test_threads_get_their_own_rows(toy, paths):
    """Several layers of one network at once: hooks on it must not meet."""
    extractors = [
        FeatureExtractor(
            model=toy, layer=layer, pooling="flatten", engine="torch", batch_size=1, workers=1
        ).fit()
        for layer in ("penultimate", "logits", "mean", "pixels")
    ]
    expected = [e.transform(paths) for e in extractors]
    wrong = []

    def work(k):
        for _ in range(5):
            if not np.array_equal(extractors[k].transform(paths), expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_in_a_pipeline_with_a_search_over_models_and_layers(
    toy, paths, labels, photos, monkeypatch
):
    monkeypatch.setattr(bundled, "_PACKAGES", small_images.PACKAGES)
    pipeline = make_pipeline(FeatureExtractor(engine="torch"), LogisticRegression())
    grid = {
        "featureextractor__model": [toy, "efficientnet_lite0"],
        "featureextractor__layer": ["penultimate", "logits"],
    }
    paths, labels = paths[::3], labels[::3]
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(paths, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.score(paths, labels) == 1
    assert search.predict([photos / "rose" / "rose_01.jpg"]).tolist() == ["rose"]


def test_images_that_can_be_gone_through_once_are(toy, photos, paths):
    extractor = FeatureExtractor(model=toy)
    rows = extractor.fit_transform(path for path in paths)
    assert np.array_equal(rows, extractor.transform(iter(paths)))
    pipeline = make_pipeline(FeatureExtractor(model=toy), FunctionTransformer())
    assert np.array_equal(pipeline.fit_transform(iter(paths)), rows)
    once = iter(paths)
    FeatureExtractor(model=toy).fit(once)
    assert next(once) == paths[0]


@pytest.mark.parametrize("channels", [3, 4])
def test_one_array_that_may_be_an_image_with_its_channels_first_is_refused(toy, channels):
    images = np.zeros((channels, 16, 16), np.uint8)
    extractor = FeatureExtractor(model=toy)
    with pytest.raises(UsageError, match=f"channels first, or {channels} grey ones"):
        extractor.fit_transform(images)
    assert extractor.fit_transform(list(images)).shape == (channels, 3)
    with pytest.raises(UsageError, match="puts the channels last"):
        extractor.fit_transform([images])


@pytest.mark.parametrize(
    "options",
    [
        {"layer": ["mean"]},
        {"layer": None},
        {"model": None},
        {"pooling": 3},
        {"normalize": True},
        {"batch_size": "4"},
        {"workers": 1.5},
    ],
    ids=str,
)
def test_options_of_the_wrong_kind_are_refused_by_name(toy, options):
    with pytest.raises(UsageError, match=f"^{next(iter(options))} is "):
        FeatureExtractor(**{"model": toy, **options}).fit()


def test_a_search_in_threads(toy, paths, labels):
    import joblib

    pipeline = make_pipeline(FeatureExtractor(model=toy), LogisticRegression())
    grid = {"featureextractor__layer": ["penultimate", "logits", "mean"]}
    with joblib.parallel_config("threading"):
        search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
        search.fit(paths, labels)
    alone = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(paths, labels)
    for name in ("split0_test_score", "split1_test_score"):
        assert np.array_equal(search.cv_results_[name], alone.cv_results_[name])


def test_a_search_in_processes(paths, labels):
    pipeline = make_pipeline(FeatureExtractor(engine="openvino", workers=1), LogisticRegression())
    grid = {"featureextractor__layer": ["penultimate", "logits"]}
    few = [k for k in range(len(paths)) if k % 3 == 0]
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit([paths[k] for k in few], [labels[k] for k in few])
    assert search.best_score_ == 1


def test_importing_it_needs_no_torch():
    code = (
        "import sys; from penult import FeatureExtractor, FineTuner; FeatureExtractor(); FineTuner();"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_two_networks_joined_and_averaged_are_cloned_and_pickled(photos, toy, tiny):
    paths = sorted(photos.rglob("*.jpg"))[::6]
    extractor = clone(FeatureExtractor(model=[toy, tiny], views="flip"))
    rows = extractor.fit_transform(paths)
    assert rows.shape == (6, 19)
    assert extractor.get_feature_names_out()[[0, 18]].tolist() == ["joined_0", "joined_18"]
    np.testing.assert_allclose(pickle.loads(pickle.dumps(extractor)).transform(paths), rows)
    with pytest.raises(UsageError, match=r"join=False gives 2 rows an image \(mean-colour/penult"):
        FeatureExtractor(model=[toy, tiny], join=False).fit(paths)
