"""Each option of an engine reaches it from every public function and class that offers the option."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

import penult
from penult.extractor import EngineOptions, opened

GIVEN = {"engine": "torch", "device": "cpu", "batch_size": 3, "streams": 5}
OURS = {"images", "fresh"}  # what penult says itself

CALLS = {
    "extract": lambda s, **given: penult.extract(s.photos, model=s.model, **given),
    "predict": lambda s, **given: list(penult.predict(s.classifier, s.photos, **given)),
    "evaluate": lambda s, **given: penult.evaluate(s.classifier, s.photos, **given),
    "search": lambda s, **given: penult.search(s.features, s.photos, **given),
    "verify": lambda s, **given: penult.verify(s.features, **given),
    "compare": lambda s, **given: penult.compare(
        s.photos, s.page, model=s.model, cost=False, similarity=False, **given
    ),
    "report": lambda s, **given: penult.report(
        s.photos, s.page, model=s.model, map=False, clusters=False, outliers=False, **given
    ),
    "look": lambda s, **given: penult.look(s.images[0], model=s.model, **given),
    "finetune": lambda s, **given: penult.finetune(
        s.photos, s.page.with_suffix(".ckpt"), model=s.model, unfreeze="none", **given
    ),
    "FineTuner": lambda s, **given: penult.FineTuner(s.model, unfreeze="none", **given).fit(
        s.images, s.labels
    ),
    "Extractor": lambda s, **given: penult.Extractor(s.model, **given),
    "FeatureExtractor": lambda s, **given: penult.FeatureExtractor(s.model, **given).fit_transform(
        s.images
    ),
    "serve": lambda s, **given: penult.serve(classifier=s.classifier, port=0, **given),
    "Classifier.predict": lambda s, **given: list(s.classifier.predict(s.photos, **given)),
}


class Opened(Exception):  # noqa: N818 - not an error: the way out of the call
    """An engine is about to be opened."""


class Surroundings:
    """Photos, their rows, and a classifier of them."""

    def __init__(self, photos, folder, model):
        self.photos, self.model, self.page = photos, model, folder / "page"
        self.features = folder / "features.h5"
        self.images = sorted(photos.rglob("*.jpg"))
        self.labels = [path.parent.name for path in self.images]
        rows = penult.extract(photos, self.features, model=model, engine="torch", device="cpu")
        self.classifier = penult.train(rows, classifier="centroid")


def offered(name):
    """The options of an engine that a public function or class takes."""
    named = penult
    for part in name.split("."):
        named = getattr(named, part)
    return GIVEN.keys() & inspect.signature(named).parameters.keys()


def test_no_option_and_no_function_is_left_out_here():
    assert GIVEN.keys() | OURS == {field.name for field in fields(EngineOptions)}
    public = {name: getattr(penult, name) for name in penult.__all__}
    methods = {
        f"{name}.{method}"
        for name, value in public.items()
        if inspect.isclass(value)
        for method, _ in inspect.getmembers(value, inspect.isfunction)
        if not method.startswith("_")
    }
    callables = {name for name, value in public.items() if callable(value)} | methods
    takes_some = set()
    for name in callables:
        try:
            takes_some |= {name} if offered(name) else set()
        except (TypeError, ValueError):  # a signature that cannot be had, such as of an exception
            continue
    # A plan looks at the engine and the device, and opens neither.
    assert takes_some == CALLS.keys() | {"plan"}


@pytest.mark.parametrize("name", CALLS)
def test_every_option_reaches_the_engine(name, photos, toy, tmp_path, monkeypatch):
    surroundings = Surroundings(photos, tmp_path, toy)
    opened.close_all()
    seen = {}

    def open_engine(backbone, recipes, **settings):
        seen.update(settings)
        raise Opened

    monkeypatch.setattr(opened, "open_engine", open_engine)
    given = {option: GIVEN[option] for option in offered(name)}
    assert given
    with pytest.raises(Opened):
        CALLS[name](surroundings, **given)
    assert {option: seen[option] for option in given} == given
