"""What colours the map of a report, and what it says of rows without a value."""

import numpy as np
from row_maps import features_of, grid_ids, grid_map

from penult.records import HeldOut, Prediction, Predictions
from penult.reporting.classified import Classified
from penult.reporting.map_columns import column_notes, map_columns

IDS = grid_ids(4)
SCORED = HeldOut(ids=tuple(IDS[:2]), truth=("a", "a"), predicted=("a", "b"), probability=(0.9, 0.8))


def notes_of(made):
    return column_notes(made, map_columns(grid_map(4, columns={}), made))


def test_rows_that_trained_the_classifier_are_said_to_have_no_value():
    trained = "None: images that trained the classifier, or have no label."
    made = Classified(features=features_of(IDS), held_out=SCORED)
    assert notes_of(made) == dict.fromkeys(["predicted", "confidence", "mistake"], trained)


def test_of_a_given_classifier_all_are_predicted_and_some_are_not_scored():
    said = Predictions(
        [Prediction(id=one, label="a", probability=0.9, top=(("a", 0.9),)) for one in IDS]
    )
    made = Classified(features=features_of(IDS), held_out=SCORED, predictions=said)
    assert [*notes_of(made)] == ["mistake"]
    assert "not scored" in notes_of(made)["mistake"]


def test_where_every_row_has_a_value_nothing_is_said():
    every = HeldOut(
        ids=tuple(IDS), truth=("a",) * 4, predicted=("a",) * 4, probability=tuple(np.ones(4))
    )
    assert notes_of(Classified(features=features_of(IDS), held_out=every)) == {}
