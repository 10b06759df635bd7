import numpy as np
import pytest
import torch
from torch import nn

from penult.errors import TrainingError
from penult.finetuning.head import Head, HiddenLayer
from penult.finetuning.head_pipeline import head_pipeline

ROWS = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)


def heads():
    torch.manual_seed(3)
    for classes in (2, 3):
        yield classes, nn.Linear(6, classes)
        yield (
            classes,
            nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, classes)),
        )


def test_logits_are_those_of_the_torch_module():
    for classes, module in heads():
        head = Head.of(module.eval(), tuple("abc"[:classes]))
        with torch.no_grad():
            expected = module(torch.from_numpy(ROWS)).numpy()
        np.testing.assert_allclose(head.logits(ROWS), expected, atol=1e-6)


def test_a_pipeline_gives_the_softmax_of_the_logits_over_the_temperature():
    for classes, module in heads():
        head = Head.of(module.eval(), tuple("abc"[:classes]), temperature=1.7)
        with torch.no_grad():
            expected = torch.softmax(module(torch.from_numpy(ROWS)) / 1.7, dim=1).numpy()
        pipeline = head_pipeline(head)
        np.testing.assert_allclose(pipeline.predict_proba(ROWS), expected, atol=1e-5)
        np.testing.assert_allclose(head.probabilities(ROWS), expected, atol=1e-5)
        assert list(pipeline.predict(ROWS)) == list(expected.argmax(axis=1))


def test_of_several_labels_a_pipeline_gives_the_logistic_function_of_each_logit():
    for classes, module in heads():
        labels = tuple("abc"[:classes])
        head = Head.of(module.eval(), labels, temperature=0.6, thresholds=(0.5,) * classes)
        with torch.no_grad():
            expected = torch.sigmoid(module(torch.from_numpy(ROWS)) / 0.6).numpy()
        np.testing.assert_allclose(head_pipeline(head).predict_proba(ROWS), expected, atol=1e-5)
        np.testing.assert_allclose(head.probabilities(ROWS), expected, atol=1e-5)


def test_decisions_of_a_linear_head_are_its_logits_over_the_temperature():
    head = Head.of(nn.Linear(6, 3), ("a", "b", "c"), temperature=2.0)
    decided = head_pipeline(head).decision_function(ROWS)
    np.testing.assert_allclose(decided, head.logits(ROWS) / 2, atol=1e-5)


def test_a_head_computes_what_can_be_worked_out_by_hand():
    hidden = HiddenLayer(weight=np.array([[1, 0], [0, -1]], "f"), bias=np.array([0, 1], "f"))
    last = {"weight": np.array([[2, 0], [0, 3]], "f"), "bias": np.array([0, 1], "f")}
    head = Head(**last, label_names=("a", "b"), hidden=(hidden,))
    # (4, 3) → ReLU(4, -3 + 1) = (4, 0) → (8, 1)
    assert head.logits(np.array([[4.0, 3.0]])).tolist() == [[8.0, 1.0]]
    assert (head.name, head.width) == ("mlp:2", 2)


def test_the_logits_of_a_row_do_not_depend_on_what_is_beside_it():
    rows = np.random.default_rng(2).normal(size=(64, 1280)).astype(np.float32)
    torch.manual_seed(3)
    head = Head.of(nn.Linear(1280, 17), tuple("abcdefghijklmnopq"))
    alone = np.concatenate([head.logits(row[None]) for row in rows])
    np.testing.assert_allclose(head.logits(rows), alone, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)), "a layer BatchNorm1d"),
        (nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3)), "no ReLU between"),
        (nn.Sequential(nn.Linear(6, 3), nn.ReLU()), "does not end in a Linear"),
    ],
)
def test_a_module_that_a_head_cannot_hold_is_refused(module, why):
    with pytest.raises(TypeError, match=why):
        Head.of(module, ("a", "b", "c"))


def test_a_head_that_does_not_fit_its_classes_is_refused():
    with pytest.raises(ValueError, match="2 classes for 3 logits"):
        Head.of(nn.Linear(6, 3), ("a", "b"))
    with pytest.raises(TrainingError, match="for one class says nothing"):
        Head.of(nn.Linear(6, 1), ("a",))
    with pytest.raises(ValueError, match="not one threshold a label"):
        Head.of(nn.Linear(6, 2), ("a", "b"), thresholds=(0.5,))
    with pytest.raises(ValueError, match="a temperature of 0"):
        Head.of(nn.Linear(6, 2), ("a", "b"), temperature=0)


@pytest.mark.parametrize(("width", "biases"), [(4, 2), (5, 3)])
def test_a_head_whose_layers_do_not_fit_together_is_refused(width, biases):
    hidden = HiddenLayer(weight=np.zeros((5, 6), np.float32), bias=np.zeros(5, np.float32))
    last = np.zeros((2, width), np.float32), np.zeros(biases, np.float32)
    with pytest.raises(ValueError, match="do not fit together"):
        Head(weight=last[0], bias=last[1], label_names=("a", "b"), hidden=(hidden,))
