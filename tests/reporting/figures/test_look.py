"""Maps over photos, and side by side."""

import io

import numpy as np
import pytest
from PIL import Image

from penult.records import ActivationMaps, ClassActivation, HeatMap, Look, RegionSimilarity
from penult.reporting.figures.heat_overlay import overlay
from penult.reporting.figures.look import draw_look

pytestmark = pytest.mark.light

SEEN = np.full((64, 96, 3), (200, 100, 50), np.uint8)


def heat(values, layer="maps", detail=""):
    return HeatMap(
        network="toy:net", layer=layer, values=np.float32(values), seen=SEEN, detail=detail
    )


def class_map(values, label="rose", **fields):
    given = {"id": "a/b.jpg", "label": label, "predicted": "rose", "probability": 0.75, "logit": 1.5,
             "intercept": 0.5, "method": "cam", "maps": (heat(values),)}  # fmt: skip
    return ClassActivation(**(given | fields))


def texts(figure):
    found = [one.get_text() for axes in figure.axes for one in axes.texts]
    return [*found, *(one.get_text() for one in figure.texts)]


def test_nothing_leaves_the_photo_grey_and_pale():
    picture = np.asarray(overlay(heat(np.zeros((2, 2)))))
    grey = np.asarray(Image.fromarray(SEEN).convert("L"), float)[0, 0]
    assert picture.shape == SEEN.shape
    assert np.unique(picture).tolist() == [round(grey + 0.4 * (255 - grey))]


def test_what_speaks_for_is_violet_and_what_speaks_against_is_orange():
    picture = np.asarray(overlay(heat([[2.0, -2.0]]))).astype(int)
    left, right = picture[32, 5], picture[32, 90]
    assert left[2] > left[0] > left[1]
    assert right[0] > right[1] > right[2]


def test_a_value_in_the_top_left_colours_the_top_left():
    values = np.zeros((4, 6))
    values[0, 0] = 1
    picture = np.asarray(overlay(heat(values))).astype(int)
    colourful = picture.max(2) - picture.min(2)
    assert colourful[:12, :12].min() > 20
    assert colourful[40:].max() == colourful[:, 60:].max() == 0


def test_maps_that_are_compared_have_one_limit():
    weak = np.asarray(overlay(heat([[0.1]]), limit=1.0)).astype(int)
    strong = np.asarray(overlay(heat([[0.1]]))).astype(int)
    assert np.ptp(weak, axis=2).max() < np.ptp(strong, axis=2).min()


def test_a_small_picture_can_be_a_webp_file():
    picture = overlay(heat([[1, 2], [3, 4]]), side=48)
    assert picture.size == (48, 32)
    picture.save(out := io.BytesIO(), "WEBP")
    assert out.getvalue()[:4] == b"RIFF"


def test_classes_stand_side_by_side_with_their_sums_and_the_scale():
    look = Look(classes=(class_map([[0.5, 0.5]]), class_map([[-2.0, 1.0]], "tulip", logit=-0.5)))
    said = texts(draw_look(look))
    assert "rose  75.0%" in said
    assert "logit 1.50 = 1.00 from places + 0.50" in said
    assert "logit −0.50 = −1.00 from places + 0.50" in said
    assert {"-2 against the class", "0", "for the class 2"} <= {*said}


def test_grad_cam_has_a_scale_from_zero():
    one = class_map([[0.0, 0.25]], method="grad-cam", intercept=float("nan"))
    said = texts(draw_look(Look(classes=(one,))))
    assert "Grad-CAM, 2 × 1 places, logit 1.50" in said
    assert said[-3:] == ["0", "Grad-CAM, from 0; larger speaks more for the class", "0.25"]


def test_activations_state_their_channels_and_their_scale():
    maps = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    one = ActivationMaps(
        id="a/b.jpg",
        network="toy:net",
        layer="maps",
        maps=maps,
        order=np.arange(6)[::-1],
        seen=SEEN,
    )
    said = texts(draw_look(Look(activations=(one, one)), channels=4))
    assert said.count("6 channels, 2 × 2; mean, up to ±13") == 2
    assert [one for one in said if one.isdigit()][:5] == ["5", "4", "3", "2", "0"]
    assert "activation, 4 strongest" in said
    assert "23" in said
    assert "b.jpg, toy:net" in said


def test_alike_photos_stand_beside_their_maps():
    pair = heat([[0.25, 0.5]]), heat([[0.75]])
    look = Look(similarity=RegionSimilarity(
        ids=("a.jpg", "b.jpg"), cosine=0.75, constants=(0, 0), maps=(pair,)))  # fmt: skip
    said = texts(draw_look(look))
    assert [one for one in said if one.endswith("jpg")] == ["a.jpg", "b.jpg"]
    assert said.count("cosine 0.750") == 2
    assert "0.750 of it from 2 × 1 places" in said


@pytest.mark.parametrize("name", ["$x$ \x1b[1m", "名前", "n" * 300])
def test_any_name_can_be_drawn(name):
    figure = draw_look(Look(classes=(class_map([[1.0]], name),)))
    figure.savefig(io.BytesIO(), format="png")
    assert all(len(one) < 70 and one.isprintable() for one in texts(figure))


def test_two_poolings_of_one_layer_have_a_picture_each():
    maps = heat([[0.75]], detail="pooling avg"), heat([[-0.25]], detail="pooling max")
    found = Look(classes=(class_map([[1.0]], maps=maps, logit=1.0),))
    said = texts(draw_look(found))
    assert {"pooling avg; toy:net maps", "pooling max; toy:net maps"} <= {*said}
    names = ["maps of toy:net, pooling avg", "maps of toy:net, pooling max"]
    assert found.to_arrays()["names"].tolist() == [f"rose: {name}" for name in names]
    assert [one.partition(": ")[0].strip() for one in found.lines[1:3]] == names
    assert "logit 1.00 = 0.75 from places + 0.25" in said
    assert "logit 1.00 = −0.25 from places + 1.25" in said


def test_photos_of_one_name_and_a_photo_with_itself_are_told_apart():
    def alike(*ids, pairs=1):
        one = heat([[1.0]])
        return Look(similarity=RegionSimilarity(
            ids=ids, cosine=1.0, constants=(0, 0), maps=((one, one),) * pairs))  # fmt: skip

    assert {"a/x.jpg", "b/x.jpg"} <= {*texts(draw_look(alike("a/x.jpg", "b/x.jpg")))}
    same = alike("x.jpg", "x.jpg", pairs=2)
    said = texts(draw_look(same))
    assert {"x.jpg (1)", "x.jpg (2)", "toy:net maps"} <= {*said}
    names = same.to_arrays()["names"].tolist()
    assert names[:2] == ["x.jpg (1): maps of toy:net", "x.jpg (2): maps of toy:net"]


def test_doubt_of_a_photo_unlike_the_others_is_said_and_drawn():
    said = "unlike anything that the classifier was trained on: each class is no more than a guess"
    doubtful = Look(classes=(class_map([[1.0]], unlike=True, similarity=0.1),))
    assert doubtful.lines[0] == said
    assert said in [one.replace("\n", " ") for one in texts(draw_look(doubtful))]
    for unlike in (False, None):
        other = Look(classes=(class_map([[1.0]], unlike=unlike),))
        assert said not in [*other.lines, *texts(draw_look(other))]


def test_lines_say_which_network_a_map_is_of_and_what_comes_from_no_place():
    one, other = (heat([[0.25]]), heat([[0.5]])), (heat([[0.5]], "deep"), heat([[0.5]], "deep"))
    found = RegionSimilarity(
        ids=("a.jpg", "b.jpg"), cosine=1.0, constants=(0.25, 0.0), maps=(one, other)
    )
    assert Look(similarity=found).lines[1:] == [
        "  a.jpg, maps of toy:net: 0.25 from 1 × 1 places, strongest in row 1, column 1",
        "  b.jpg, maps of toy:net: 0.5 from 1 × 1 places, strongest in row 1, column 1",
        "  a.jpg, deep of toy:net: 0.5 from 1 × 1 places, strongest in row 1, column 1",
        "  b.jpg, deep of toy:net: 0.5 from 1 × 1 places, strongest in row 1, column 1",
        "  from no place: 0.250 and 0.000",
    ]
