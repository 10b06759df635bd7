"""The curves of a training: what is drawn of its epochs, and what marks them."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from penult.finetuning.curves import Curves, draw_accuracy, draw_losses


def epoch(loss, accuracy=0.5, **more):
    return {"validation_loss": loss, "validation_accuracy": accuracy, **more}


def test_one_stage_begins_at_epoch_0_and_marks_the_epoch_that_was_kept():
    curves = Curves.of(
        {
            "start": epoch(1.0),
            "epochs": [epoch(0.5, train_loss=2.0), epoch(0.6, train_loss=1.0)],
            "best_epoch": 1,
        }
    )
    assert curves.train_loss == {1: 2.0, 2: 1.0}
    assert curves.validation_loss == {0: 1.0, 1: 0.5, 2: 0.6}
    assert (curves.kept, curves.unfrozen_after) == (1, 0)


@pytest.mark.parametrize(
    ("best", "kept"),
    [(1, 3), (0, 1)],  # where blocks made it only worse, the best epoch of the head alone
)
def test_a_head_that_is_trained_first_has_its_epochs_before_those_of_the_blocks(best, kept):
    curves = Curves.of(
        {
            "start": epoch(1.0, stage="head"),
            "epochs": [
                epoch(0.3, stage="head", epoch=1),
                epoch(0.4, stage="head", epoch=2),
                epoch(0.35, stage="fine-tuning", epoch=1),
            ],
            "best_epoch": best,
        }
    )
    assert [*curves.validation_loss] == [0, 1, 2, 3]
    assert (curves.kept, curves.unfrozen_after) == (kept, 2)


def test_no_accuracy_is_drawn_above_100_percent_and_few_images_make_no_cliff():
    axes = Figure().add_subplot()
    curves = Curves.of({"start": epoch(1, 1.0), "epochs": [epoch(1, 0.99)], "best_epoch": 0})
    draw_accuracy(axes, curves)
    assert axes.get_ylim() == (90, 101.5)
    assert axes.get_legend() is None
    axes = Figure().add_subplot()
    draw_losses(axes, curves)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["validation", "kept"]


def test_what_has_no_epochs_is_drawn_empty():
    axes = Figure().add_subplot()
    draw_losses(axes, Curves.of({}))
    assert not axes.lines
