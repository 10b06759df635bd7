"""What layers give at each place."""

import numpy as np
import pytest
from PIL import Image

import penult
from penult.errors import UnknownNameError, UsageError

pytestmark = pytest.mark.light


def test_channels_come_strongest_first_and_the_mean_is_over_all(toy):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 1], pixels[:4, :, 2] = 51, 255  # green 0.2 everywhere, blue 1 above
    (one,) = penult.look([Image.fromarray(pixels)], model=toy).activations
    assert (one.layer, one.maps.shape) == ("pixels", (3, 8, 8))
    assert one.order.tolist() == [2, 1, 0]
    assert one.mean.values[0, 0] == pytest.approx(1.2 / 3)
    assert one.mean.values[7, 0] == pytest.approx(0.2 / 3)
    assert np.array_equal(one.seen, pixels)


def test_by_default_they_are_those_that_the_row_is_the_average_of(flower):
    (one,) = penult.look(flower, offline=True).activations
    row = penult.Extractor(offline=True)([flower])[0]
    assert one.layer == "bn2"
    assert one.maps.mean((1, 2)) == pytest.approx(row, rel=1e-4, abs=1e-5)


def test_globs_leave_out_what_has_no_places_and_names_are_refused(toy, flower):
    found = penult.look(flower, model=toy, layer=["*"])
    assert [one.layer for one in found.activations] == ["pixels", "mean.0"]
    with pytest.raises(UsageError, match=r"penultimate of .* has no places"):
        penult.look(flower, model=toy, layer="penultimate")
    with pytest.raises(UsageError, match=r"no layer called penult\* has maps"):
        penult.look(flower, model=toy, layer="penult*")
    with pytest.raises(UnknownNameError, match="did you mean pixels"):
        penult.look(flower, model=toy, layer="pixel")
    said = r"252 layers are too many .* for 8 at most, such as layer='blocks\.\?', which takes 7"
    with pytest.raises(UsageError, match=said):
        penult.look(flower, layer="blocks.*", offline=True)
