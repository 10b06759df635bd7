"""Where a graph is parted, and that no bit of a row changes with it."""

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from penult.engines.openvino.early_layers import early_layers_apart

pytestmark = [pytest.mark.light, pytest.mark.once]

EDGE = 64


def conv(x, channels, stride=1, kernel=1):
    rng = np.random.default_rng(channels)
    weights = rng.normal(size=(channels, x.get_shape()[1], kernel, kernel)).astype(np.float32)
    return ops.convolution(x, weights, [stride] * 2, [0, 0], [0, 0], [1, 1]).output(0)


def pixels():
    image = ops.parameter([1, EDGE, EDGE, 3], np.uint8, "image")
    floats = ops.convert(image, np.float32)
    return image, ops.transpose(floats, ops.constant([0, 3, 1, 2])).output(0)


def rows(x):
    return ops.reduce_mean(x, ops.constant([2, 3]), False).output(0)


def large_pixels_then_large_weights(between=lambda x: ops.relu(x).output(0)):
    """Early, four images take 4 × 32 × 64 × 64 × 4 bytes, two megabytes; late, weights do."""
    image, x = pixels()
    early = between(conv(x, 32))
    narrow = ops.relu(conv(early, 16, stride=16)).output(0)
    late = conv(ops.relu(conv(narrow, 512)).output(0), 512)
    return image, early, narrow, rows(late)


def model(image, *outputs):
    return ov.Model([ops.result(one) for one in outputs], [image], "network")


def parts(graph):
    """What is put together again, of how many images each."""
    joined = [op for op in graph.get_ordered_ops() if op.get_type_name() == "Concat"]
    return [
        (list(op.output(0).get_shape()), {one.get_node().get_type_name() for one in sources})
        for op in joined
        for sources in [[one.get_source_output() for one in op.inputs()]]
    ]


def run(graph, images):
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(graph, "CPU", options)(images)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (4, EDGE, EDGE, 3), np.uint8)


def test_images_are_put_together_where_they_have_become_small(images):
    image, _, narrow, row = large_pixels_then_large_weights()
    shape = [4, *narrow.get_shape()[1:]]
    whole = model(image, row)
    assert parts(early_layers_apart(ov, whole, images.shape)) == [(shape, {"Relu"})]


def test_no_bit_of_a_row_changes(images):
    image, _, _, row = large_pixels_then_large_weights()
    whole = model(image, row)
    apart = early_layers_apart(ov, whole, images.shape)
    assert parts(apart)
    whole.reshape(images.shape)
    assert np.array_equal(run(apart, images)[0], run(whole, images)[0])


def test_the_graph_that_was_given_stays_as_it_is():
    image, _, _, row = large_pixels_then_large_weights()
    whole = model(image, row)
    early_layers_apart(ov, whole, [4, EDGE, EDGE, 3])
    assert not parts(whole)
    assert list(whole.input().get_shape()) == [1, EDGE, EDGE, 3]


def test_one_image_at_a_time_is_never_parted():
    image, _, _, row = large_pixels_then_large_weights()
    assert not parts(early_layers_apart(ov, model(image, row), [1, EDGE, EDGE, 3]))


def test_where_weights_are_all_there_is_nothing_is_parted(images):
    image, x = pixels()
    small = ops.avg_pool(x, [16, 16], [0, 0], [0, 0], [16, 16], False).output(0)
    row = rows(conv(conv(small, 512), 512))
    apart = early_layers_apart(ov, model(image, row), images.shape)
    assert not parts(apart)
    assert list(apart.input().get_shape()) == [4, EDGE, EDGE, 3]


def test_a_graph_without_layers_is_left_whole(images):
    image, x = pixels()
    assert not parts(early_layers_apart(ov, model(image, rows(x)), images.shape))


def test_an_early_layer_that_is_asked_for_as_well_keeps_the_graph_whole(images):
    image, early, _, row = large_pixels_then_large_weights()
    assert not parts(early_layers_apart(ov, model(image, row, early), images.shape))


def test_a_late_layer_that_is_asked_for_as_well_does_not(images):
    image, _, narrow, row = large_pixels_then_large_weights()
    late = ops.relu(conv(narrow, 64)).output(0)
    whole = model(image, row, rows(late))
    apart = early_layers_apart(ov, whole, images.shape)
    assert len(parts(apart)) == 1
    whole.reshape(images.shape)
    one, other = run(apart, images), run(whole, images)
    assert all(np.array_equal(one[n], other[n]) for n in (0, 1))


def test_a_branch_is_not_cut_in_the_middle(images):
    def beside_a_branch(x):
        return ops.concat([ops.relu(x).output(0), x], 1).output(0)

    image, _, narrow, row = large_pixels_then_large_weights(beside_a_branch)
    shape = [4, *narrow.get_shape()[1:]]
    joined = [one for one, _ in parts(early_layers_apart(ov, model(image, row), images.shape))]
    assert shape in joined
    assert [4, 32, EDGE, EDGE] not in joined


def test_what_holds_images_in_another_order_is_not_put_together(images):
    """Images behind channels: one after the other would be another array."""
    image, x = pixels()
    early = ops.relu(conv(ops.relu(conv(x, 32)).output(0), 16, stride=16)).output(0)
    across = ops.transpose(early, ops.constant([1, 0, 2, 3])).output(0)
    row = ops.matmul(across, np.ones((4, 512), np.float32), False, False).output(0)
    assert not parts(early_layers_apart(ov, model(image, row), images.shape))


def test_a_shape_that_depends_on_the_picture_keeps_the_graph_whole(images):
    image, x = pixels()
    bright = ops.non_zero(ops.relu(conv(x, 32)), "i64")
    places = ops.transpose(ops.convert(bright, np.float32), ops.constant([1, 0])).output(0)
    row = ops.matmul(places, np.ones((4, 512), np.float32), False, False).output(0)
    assert not parts(early_layers_apart(ov, model(image, row), images.shape))
