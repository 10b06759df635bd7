"""A wrong type is one line that names the argument, whichever public function was given it."""

from __future__ import annotations

import inspect
import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

import penult
from penult.checking import checked
from penult.classify.options import TrainOptions
from penult.errors import UsageError

FUNCTIONS = {
    **{
        name: value for name in penult.__all__ if inspect.isfunction(value := getattr(penult, name))
    },
    "Classifier.predict": penult.Classifier.predict,
    "Classifier.predictions": penult.Classifier.predictions,
    "Classifier.save": penult.Classifier.save,
    "Extractor": penult.Extractor,
}
# What may be almost anything, and is told apart only when it is used.
UNCHECKED = {
    ("Classifier.predictions", "probabilities"),
    ("Classifier.predictions", "similarity"),
    ("predict", "images"),
}
CASES = [
    (name, argument)
    for name, function in FUNCTIONS.items()
    for argument, parameter in inspect.signature(function).parameters.items()
    if argument != "self" and (name, argument) not in UNCHECKED
]


class Odd:
    """Nothing that any argument takes."""

    def __repr__(self) -> str:
        return "an odd thing"


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_an_argument_of_a_wrong_type_is_refused_in_one_line(name, argument, make_features):
    function = FUNCTIONS[name]
    if name.startswith("Classifier."):
        from penult.classify.training.train import train

        classifier = train(make_features({"a": 12, "b": 12}), classifier="centroid")
        function = getattr(classifier, name.partition(".")[2])
    given = {
        other: ["a"] if other == "ids" else "nowhere"
        for other, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    with pytest.raises(UsageError, match=r"an odd thing; give|given as Odd; |of type Odd; give"):
        function(**{**given, argument: Odd()})


@checked
def plant(
    count: int = 1,
    depth: float = 0.5,
    names: str | list[str] | None = None,  # no type that is known here: not checked
    *,
    rows: str | tuple[str, ...] = (),
    kinds: Sequence[str] | None = None,
    deep: bool = False,
    season: Literal["spring", "autumn"] = "spring",
) -> int:
    """Say how many."""
    return count


@pytest.mark.parametrize(
    "given",
    [
        {"count": np.int64(3)}, {"depth": 1}, {"depth": np.float32(1)}, {"names": 7}, {"rows": 7},
        {"kinds": None}, {"kinds": ("rose", "tulip")}, {"kinds": {"rose"}}, {"deep": np.bool_(True)},
    ],
)  # fmt: skip
def test_what_fits_is_taken(given):
    assert plant(**given) == given.get("count", 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 1.5}, "count is 1.5; give a whole number"),
        ({"count": True}, "count is True; give a whole number"),
        ({"depth": "a"}, "depth is 'a'; give a number"),
        ({"kinds": [1]}, "kinds is [1]; give a list, or None"),
        ({"kinds": ["rose", 1]}, "kinds is ['rose', 1]; give a list, or None"),
        ({"kinds": "rose"}, "kinds is 'rose'; give a list, or None"),
        ({"season": 7}, "season is 7; give a name"),
        (
            {"season": "sprin"},
            "unknown season 'sprin'; did you mean spring?",
        ),
        ({"deep": "no"}, "deep is 'no'; give True or False"),
    ],
)
def test_what_does_not_fit_is_named_with_what_does(given, said):
    with pytest.raises(UsageError) as raised:
        plant(**given)
    assert str(raised.value) == said


def test_an_array_is_named_by_its_shape_and_features_are_shown_how_to_be_made():
    rows = np.zeros((120, 1280), np.float32)
    for given in ((rows,), (rows, [0] * 120)):
        with pytest.raises(UsageError) as raised:
            penult.train(*given)
        assert str(raised.value) == (
            "features is an array of float32, shape (120, 1280); give Features, or a name, or a "
            "path, or make Features of it: penult.Features(features=…, ids=…, labels=…, …)"
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda many: plant(count=many),
        lambda many: plant(kinds=[3] * len(many) * 5000),
        lambda many: penult.extract("photos", progress=many),
        lambda many: penult.extract("photos", weights=many),
        lambda many: penult.extract("photos", pooling=many),
        lambda many: penult.train("rows.h5", grid={"C": "5" * 3000}),
        lambda many: penult.load(many),
        lambda many: penult.load_classifier(many),
    ],
)
@pytest.mark.parametrize("many", [np.zeros((200, 200)), list(range(5000)), {"a" * 5000: 1}])
def test_what_was_given_is_shortened(call, many):
    with pytest.raises(UsageError) as raised:
        call(many)
    assert len(str(raised.value)) < 250


def test_python_itself_says_which_argument_is_unknown_or_missing():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        plant(colour="red")
    with pytest.raises(TypeError, match=r"missing .* argument"):
        penult.load()


def test_the_signature_stays_what_it_was():
    assert list(inspect.signature(penult.extract).parameters)[:3] == ["images", "output", "model"]


@pytest.mark.parametrize("given", [{"count": np.int64(3)}, {"depth": np.float32(0.5)}])
def test_numbers_of_numpy_are_given_on_as_pythons(given):
    @checked
    def kind(count: int = 0, depth: float = 0.0) -> set[type]:
        """Say what was given."""
        return {type(count), type(depth)}

    assert kind(**given) == {int, float}


@pytest.mark.parametrize(
    "given", [{"count": 10**30}, {"count": -(10**30)}, {"depth": float("nan")}]
)
def test_numbers_that_nothing_can_be_done_with_are_refused(given):
    with pytest.raises(UsageError, match="give a number"):
        plant(**given)


@pytest.mark.parametrize(
    "odd", [np.array(3), range(3), np.array([1, 2]), (k for k in range(2)), io.BytesIO(b"x"), b"x"]
)
def test_what_is_no_list_of_names_is_refused_however_it_is_gone_through(odd):
    with pytest.raises(UsageError, match=r"^kinds is "):
        plant(kinds=odd)
    with pytest.raises(UsageError, match=r"^layer is "):
        penult.train("rows.h5", layer=odd)


@pytest.mark.parametrize("empty", [[], (), set(), ""])
def test_an_empty_list_of_layers_or_models_is_refused(empty):
    for call in (lambda: penult.train("rows.h5", layer=empty), lambda: penult.fetch(empty)):
        with pytest.raises(UsageError, match=r"is an empty list; give one or more|is empty; give"):
            call()


def test_fewer_photos_a_class_than_none_are_refused():
    with pytest.raises(UsageError, match="min_per_class is -1; give 0 or more"):
        TrainOptions.of(classifier="svm", grid=None, min_per_class=-1)


def test_a_misspelled_argument_is_told_which_one_was_meant():
    for function, wrong, meant in (
        (penult.train, "test_sise", "test_size"),
        (penult.extract, "lables", "labels"),
        (penult.Classifier.save, "overwright", "overwrite"),
    ):
        said = rf"{function.__name__}\(\) has no argument {wrong}; did you mean {meant}\?$"
        with pytest.raises(TypeError, match=said):
            function("nowhere", **{wrong: 1})
    with pytest.raises(TypeError, match="unexpected keyword argument 'zzz'"):
        penult.train("nowhere", zzz=1)
