"""What is registered is known to the process until it is unregistered, and takes no name twice."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from sklearn.naive_bayes import GaussianNB
from toys import ChannelMeans, MeanColour

from penult.backbones.registry import sources
from penult.classify.kinds.registry import find_kind, kind_names
from penult.databases.registry import ADAPTERS
from penult.engines.registry import ENGINES
from penult.errors import UsageError
from penult.extending import (
    Adapter,
    ClassifierKind,
    EngineEntry,
    SourceKind,
    register,
    unregister,
)
from penult.images.sources.open import KINDS


class NaiveBayes(ClassifierKind):
    name = "bayes"

    def make(self, seed, **params):
        return GaussianNB(**params)


MEANS = EngineEntry(ChannelMeans, devices=("cpu",), forms=("torch",))
NO_IMAGES = SourceKind(matches=lambda argument: False, open=lambda location, options: ())
MINE = Adapter(
    name="mine", schemes=("mine:",), example="mine:a", open=lambda address, offline: None
)


@pytest.mark.parametrize(
    ("extension", "name", "known"),
    [
        (MeanColour(), "toy", sources),
        (MEANS, "means", lambda: ENGINES),
        (NaiveBayes(), "bayes", kind_names),
    ],
)
def test_a_name_is_known_while_it_is_registered_and_taken_once(extension, name, known):
    assert name not in known()
    register(extension)
    try:
        assert name in known()
        with pytest.raises(UsageError, match=f"'{name}' exists; give yours another"):
            register(extension)
    finally:
        unregister(extension)
    assert name not in known()


def test_a_kind_of_images_is_asked_before_those_of_penult():
    kind = SourceKind(matches=lambda argument: False, open=lambda location, options: ())
    register(kind)
    try:
        assert KINDS[0] is kind
    finally:
        unregister(kind)
    assert kind not in KINDS


@pytest.mark.parametrize(
    ("extension", "named"),
    [
        (MeanColour(), "the backbone source 'toy'"),
        (MEANS, "the engine 'means'"),
        (NaiveBayes(), "the classifier 'bayes'"),
        (MINE, "the database 'mine'"),
        (NO_IMAGES, "the source of images"),
    ],
)
def test_what_is_not_registered_any_more_is_said_in_one_line(extension, named):
    register(extension)
    unregister(extension)
    with pytest.raises(UsageError) as refused:
        unregister(extension)
    assert str(refused.value) == (
        f"{named} is not registered in this process; `unregister` takes what `register` was "
        "given, once"
    )


@pytest.mark.parametrize("own", [KINDS[0], ADAPTERS[0], find_kind("logistic"), "bayes"])
def test_nothing_of_penult_is_unregistered(own):
    with pytest.raises(UsageError, match="is not registered in this process"):
        unregister(own)
    assert own in (*KINDS, *ADAPTERS, find_kind("logistic"), "bayes")


@pytest.mark.parametrize(
    "nothing", [MeanColour, "bayes", EngineEntry("a:B", devices=("cpu",), forms=("torch",))]
)
def test_what_is_no_extension_is_refused(nothing):
    with pytest.raises(UsageError, match="cannot be registered; allowed: a SourceKind"):
        register(nothing)


class Nameless(ClassifierKind):
    def make(self, seed, **params):
        return GaussianNB(**params)


class Listing(NaiveBayes):
    trusted = ("sklearn.naive_bayes.GaussianNB",)


class Listed(NaiveBayes):
    trusted = MappingProxyType({"ObjectNode": ["sklearn.naive_bayes.GaussianNB"]})


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Nameless, "Nameless has no name"),
        (Listing, "`trusted` of bayes has to map a loader of skops to a set of types"),
        (Listed, "`trusted` of bayes has to map a loader of skops to a set of types"),
    ],
)
def test_a_classifier_that_lacks_something_is_refused(kind, complaint):
    with pytest.raises(UsageError, match=complaint):
        register(kind())
    assert "bayes" not in kind_names()
