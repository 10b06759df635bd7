"""Against torch and ONNX's own reference evaluator, on small graphs written here."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import openvino
import pytest
import torch

from penult.backbones.image_input import normalized
from penult.backbones.onnx.graph import read_graph
from penult.backbones.onnx.runtime import in_onnx_runtime
from penult.backbones.onnx.source import METADATA_KEY, Onnx
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.registry import open_engine
from penult.errors import (
    BackboneError,
    EngineError,
    MissingExtraError,
    PathNotFoundError,
    UnknownNameError,
    WeightsError,
)
from penult.recipe import Preprocessing
from penult.testing import check_source

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

PREPROCESSING = Preprocessing(
    resize=18, crop=(16, 16), interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
)


def network():
    """The same network as a torch module."""
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 5),
    )
    layers[1].running_mean.normal_()
    layers[1].running_var.uniform_(0.5, 1.5)
    return layers.eval().requires_grad_(False)


def graph(batch="N", size=16, nodes=None, inputs=None, named=True):
    module = network()
    conv, norm, linear = module[0], module[1], module[5]
    arrays = {
        "conv.weight": conv.weight, "conv.bias": conv.bias,
        "norm.weight": norm.weight, "norm.bias": norm.bias,
        "norm.mean": norm.running_mean, "norm.var": norm.running_var,
        "head.weight": linear.weight.T.contiguous(), "head.bias": linear.bias,
    }  # fmt: skip
    norms = ["norm.weight", "norm.bias", "norm.mean", "norm.var"]
    nodes = nodes or [
        helper.make_node("Conv", ["images", "conv.weight", "conv.bias"], ["c"], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", *norms], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        # As exporters write a linear layer: a product, then a sum.
        helper.make_node("MatMul", ["f", "head.weight"], ["m"]),
        helper.make_node("Add", ["head.bias", "m"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["classes"], axis=1),
    ]
    if named:
        for node in nodes:
            node.name = f"net/{node.op_type.lower()}"
    shape = [batch, 3, size, size]
    inputs = inputs or [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    initializers = [numpy_helper.from_array(a.numpy(), name) for name, a in arrays.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "small", inputs, outputs, initializers),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    stated = json.dumps(dataclasses.asdict(PREPROCESSING))
    helper.set_model_props(model, {METADATA_KEY: stated})
    return model


@pytest.fixture
def save(tmp_path):
    def write(model):
        path = tmp_path / "small.onnx"
        onnx.save(model, path)
        return path

    return write


def opened(path):
    return Onnx().open(str(path), WeightsChoice())


def images(count, size=16):
    """As decoded photos, and as the network sees them."""
    pixels = np.random.default_rng(1).integers(0, 256, (count, size, size, 3), np.uint8)
    return pixels, torch.from_numpy(normalized(pixels, PREPROCESSING))


def run(backbone, names, pixels):
    """Whole activations, as the engine gives them."""
    recipes = [backbone.recipe(name, "none") for name in names]
    return open_engine(backbone, recipes).run(pixels)


def alike(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_ends_are_those_of_the_torch_network(save):
    backbone = opened(save(graph()))
    module, (pixels, batch) = network(), images(3)
    penultimate, logits = run(backbone, ["penultimate", "logits"], pixels)
    alike(penultimate, module[:5](batch))
    alike(logits, module(batch))
    assert backbone.layer("penultimate").shape == (8,)
    assert backbone.layer("logits").shape == (5,)
    assert backbone.preprocessing == PREPROCESSING


def test_every_layer_agrees_with_onnx_reference_evaluator(save):
    model = graph()
    backbone = opened(save(model))
    names = [layer.name for layer in backbone.layers]
    assert names == [
        "net/conv", "net/batchnormalization", "net/relu", "net/globalaveragepool", "net/flatten",
        "net/matmul", "net/add", "net/softmax", "penultimate", "logits",
    ]  # fmt: skip
    tensors = ["c", "n", "r", "p", "f", "m", "scores", "classes", "f", "scores"]
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(t, TensorProto.FLOAT, None) for t in dict.fromkeys(tensors)
    )
    evaluator = ReferenceEvaluator(model)
    pixels, batch = images(2)
    theirs = dict(
        zip(evaluator.output_names, evaluator.run(None, {"images": batch.numpy()}), strict=True)
    )
    for name, tensor, ours in zip(names, tensors, run(backbone, names, pixels), strict=True):
        np.testing.assert_allclose(ours, theirs[tensor], rtol=1e-4, atol=1e-5, err_msg=name)
        assert ours.shape[1:] == backbone.layer(name).shape


def test_nothing_after_the_last_layer_is_run(save):
    cut = opened(save(graph())).as_openvino(["net/relu"]).build(openvino.Core())
    kept = {node.get_type_name() for node in cut.get_ops()}
    assert {"Convolution", "Relu"} <= kept
    assert not kept & {"ReduceMean", "MatMul", "Softmax"}


def test_nodes_without_names_go_by_their_outputs(save):
    backbone = opened(save(graph(named=False)))
    assert [layer.name for layer in backbone.layers][:3] == ["c", "n", "r"]
    with pytest.raises(UnknownNameError, match="unknown layer"):
        backbone.as_openvino(["net/relu"])


@pytest.mark.parametrize("batch", [1, 4], ids=["one image", "four images"])
def test_a_graph_of_a_fixed_batch_takes_any_number_of_images(batch, save):
    backbone = opened(save(graph(batch=batch)))
    assert backbone.layer("net/conv").shape == (8, 16, 16)
    pixels, batch = images(6)
    (rows,) = run(backbone, ["penultimate"], pixels)
    alike(rows, network()[:5](batch))
    alike(run(backbone, ["penultimate"], pixels[:1])[0], rows[:1])


def test_a_graph_whose_batch_is_free_in_name_alone_gets_images_one_by_one(save):
    model = graph()
    flatten = next(node for node in model.graph.node if node.op_type == "Flatten")
    flatten.CopyFrom(helper.make_node("Reshape", ["p", "shape"], ["f"], name="net/flatten"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 8]), "shape"))
    backbone = opened(save(model)).replace(layers=opened(save(graph())).layers)
    pixels, batch = images(3)
    alike(run(backbone, ["penultimate"], pixels)[0], network()[:5](batch))


def test_rows_depend_neither_on_their_neighbours_nor_on_the_run(save):
    backbone, (pixels, _) = opened(save(graph())), images(3)
    (together,) = run(backbone, ["penultimate"], pixels)
    assert np.array_equal(together, run(backbone, ["penultimate"], pixels)[0])
    alone = np.concatenate([run(backbone, ["penultimate"], pixels[k : k + 1])[0] for k in range(3)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)


def test_channels_last_and_their_order_are_as_the_network_has_them(save):
    model = graph()
    relu = [node.op_type for node in model.graph.node].index("Relu")
    last = helper.make_node("Transpose", ["n"], ["h"], perm=[0, 2, 3, 1], name="net/nhwc")
    first = helper.make_node("Transpose", ["h"], ["n2"], perm=[0, 3, 1, 2], name="net/nchw")
    model.graph.node.insert(relu, first)
    model.graph.node.insert(relu, last)
    model.graph.node[relu + 2].input[0] = "n2"
    turned = dataclasses.replace(PREPROCESSING, channels="BGR", mean=(0.1, 0.5, 0.7))
    helper.set_model_props(model, {METADATA_KEY: json.dumps(dataclasses.asdict(turned))})
    backbone = opened(save(model))
    assert (backbone.layer("net/nhwc").layout, backbone.layer("net/nhwc").shape) == (
        "NHWC", (16, 16, 8),
    )  # fmt: skip
    pixels, _ = images(2)
    seen = torch.from_numpy(normalized(pixels, turned))
    for k, mean in enumerate((0.1, 0.5, 0.7)):  # blue first
        expected = (pixels[..., 2 - k] / 255 - mean) / 0.25
        np.testing.assert_allclose(seen[:, k], expected, rtol=1e-4, atol=1e-5)
    flat = backbone.recipe("net/nhwc", "flatten"), backbone.recipe("net/nhwc", "none")
    rows, maps = open_engine(backbone, flat).run(pixels)
    theirs = network()[:2](seen)
    alike(maps, theirs)
    alike(rows, theirs.permute(0, 2, 3, 1).flatten(1))


def test_rows_are_compared_with_onnx_runtime_where_it_is(save, monkeypatch):
    backbone = opened(save(graph()))
    monkeypatch.setattr(
        "penult.backbones.onnx.network.in_onnx_runtime", lambda *_: [np.ones((1, 8), np.float32)]
    )
    with pytest.raises(EngineError, match=r"OpenVINO's penultimate of small.onnx .* ONNX Runtime"):
        run(backbone, ["penultimate"], images(1)[0])
    monkeypatch.setattr("penult.backbones.onnx.network.is_installed", lambda _: False)
    alike(run(backbone, ["penultimate"], images(1)[0])[0], network()[:5](images(1)[1]))


def test_what_onnx_runtime_does_not_know_is_not_compared(save):
    model = graph()
    assert in_onnx_runtime(model, "images", np.zeros((1, 3, 16, 16), np.float32))
    model.graph.node[2].op_type = "Frobnicate"
    assert in_onnx_runtime(model, "images", np.zeros((1, 3, 16, 16), np.float32)) == []


def test_it_runs_without_torch_and_without_onnx_runtime(save):
    code = f"""
import sys
sys.modules["torch"] = sys.modules["onnxruntime"] = None
import importlib.util, numpy as np
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in ("torch", "onnxruntime") else found(name, *a)
from penult.backbones.registry import open_backbone
from penult.engines.registry import open_engine
backbone = open_backbone({str(save(graph()))!r})
assert [x.name for x in backbone.layers][-2:] == ["penultimate", "logits"]
assert open_engine(backbone, [backbone.recipe()]).run(np.zeros((2, 16, 16, 3), np.uint8))[0].shape == (2, 8)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_node_whose_first_output_nobody_takes_goes_by_the_next_one(save):
    """As recurrent ones do, of which the last state alone is taken."""
    rng = np.random.default_rng(0)

    def recurrent(name, width):
        shapes = {"w": (1, 12, width), "r": (1, 12, 4)}
        arrays = {f"{name}.{k}": rng.normal(0, 0.5, s).astype("f4") for k, s in shapes.items()}
        node = helper.make_node("GRU", [name, *arrays], ["", f"{name}.last"], hidden_size=4)
        return node, [numpy_helper.from_array(a, key) for key, a in arrays.items()]

    (first, of_first), (second, of_second) = recurrent("one", 3), recurrent("two", 4)
    axes = [numpy_helper.from_array(np.array([k]), f"axis {k}") for k in (0, 3)]
    model = graph(
        named=False,
        nodes=[
            helper.make_node("GlobalAveragePool", ["images"], ["p"]),
            helper.make_node("Squeeze", ["p", "axis 3"], ["s"]),
            helper.make_node("Transpose", ["s"], ["one"], perm=[2, 0, 1]),
            first,
            helper.make_node("Squeeze", ["one.last", "axis 0"], ["row"]),
            helper.make_node("Unsqueeze", ["row", "axis 0"], ["two"]),
            second,
            helper.make_node("Squeeze", ["two.last", "axis 0"], ["out"]),
        ],
    )
    model.graph.initializer.extend([*of_first, *of_second, *axes])
    path = save(model)
    names = [*read_graph(path).outputs]
    assert names == ["p", "s", "one", "one.last", "row", "two", "two.last", "out", "penultimate"]
    backbone = opened(path)
    pixels, batch = images(2)
    model.graph.output.append(helper.make_tensor_value_info("row", TensorProto.FLOAT, None))
    out, row = ReferenceEvaluator(model).run(None, {"images": batch.numpy()})
    for ours, theirs in zip(run(backbone, ["row", "penultimate"], pixels), (row, out), strict=True):
        alike(ours, theirs)


def test_a_network_without_a_classifier_gives_its_output(save):
    model = graph()
    del model.graph.node[5:]
    model.graph.output[0].name = "f"
    backbone = opened(save(model))
    assert backbone.layers[-1].name == "penultimate"
    pixels, batch = images(2)
    alike(run(backbone, ["penultimate"], pixels)[0], network()[:5](batch))


def test_the_files_digest_is_the_weights_identity_wherever_it_lies(save, tmp_path):
    path = save(graph())
    first = opened(path).recipe()
    moved = path.rename(tmp_path / "renamed.onnx")
    assert opened(moved).recipe() == first
    changed = onnx.load(moved)
    changed.graph.initializer[1].raw_data = np.zeros(8, np.float32).tobytes()
    assert opened(save(changed)).recipe() != first


def test_a_file_beside_states_the_preprocessing_that_the_model_does_not(save):
    model = graph()
    del model.metadata_props[:]
    path = save(model)
    with pytest.raises(
        BackboneError, match=r"write that into .*small\.onnx\.json.*\"resize\": 256"
    ):
        opened(path)
    sidecar = path.with_name("small.onnx.json")
    sidecar.write_text(json.dumps(dataclasses.asdict(PREPROCESSING) | {"channels": "BGR"}))
    assert opened(path).preprocessing == dataclasses.replace(PREPROCESSING, channels="BGR")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": [0.5, 0.5]}, r"mean is \[0.5, 0.5\], and may be three numbers"),
        ({"mean": 0.5}, "mean is 0.5, and may be three numbers"),
        ({"mean": ["a", "b", "c"]}, "and may be three numbers"),
        ({"mean": [float("nan"), 0, 0]}, r"mean is \[NaN, 0, 0\]"),
        ({"std": [1, 1, 0]}, r"std is \[1, 1, 0\], and may be three numbers other than 0"),
        ({"interpolation": "cubic"}, 'interpolation is "cubic", and may be nearest, box, bil'),
        ({"interpolation": ["box"]}, "and may be nearest"),
        ({"resize": -1, "channels": "GBR"}, 'resize is -1, .*; channels is "GBR", and may be RGB'),
        ({"resize": 0}, "resize is 0, and may be"),
        ({"crop": [0, 16]}, r"crop is \[0, 16\], and may be"),
        ({"crop": [16, 10**9]}, "whole numbers from 1 to 32,768"),
        ({"crop": None}, "crop is null, and may be so only where resize is"),
        ({"sizes": 3}, r"it has the unknown sizes \(there are: resize, crop, "),
        ({"crop": [20, 16]}, "images of height 16, and its preprocessing gives 20"),
    ],
)
def test_a_preprocessing_that_cannot_be_is_refused(change, message, save):
    model = graph()
    helper.set_model_props(
        model, {METADATA_KEY: json.dumps(dataclasses.asdict(PREPROCESSING) | change)}
    )
    with pytest.raises(BackboneError, match=message):
        opened(save(model))


def test_missing_settings_are_named_and_a_whole_one_is_shown(save):
    model = graph()
    helper.set_model_props(model, {METADATA_KEY: '{"mean": [0, 0, 0], "std": [1, 1, 1]}'})
    with pytest.raises(BackboneError) as refused:
        opened(save(model))
    assert "it lacks resize, crop, interpolation (there are: " in str(refused.value)
    assert 'a whole one is {"resize": 256, "crop": [224, 224], ' in str(refused.value)
    helper.set_model_props(model, {METADATA_KEY: "[1, 2]"})
    with pytest.raises(BackboneError, match=r"it is '\[1, 2\]' where settings by name are expect"):
        opened(save(model))


def test_a_preprocessing_that_is_no_json_is_refused(save):
    model = graph()
    helper.set_model_props(model, {METADATA_KEY: "[1"})
    with pytest.raises(BackboneError, match="is no preprocessing"):
        opened(save(model))


def image_input(kind, shape):
    return [helper.make_tensor_value_info("images", kind, shape)]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (image_input(TensorProto.UINT8, ["N", 3, 16, 16]), r"takes uint8 \(N, 3, 16, 16\)"),
        (image_input(TensorProto.FLOAT, ["N", 16, 16, 3]), r"takes float \(N, 16, 16, 3\)"),
        (image_input(TensorProto.FLOAT, ["N", 1, 16, 16]), r"takes float \(N, 1, 16, 16\)"),
        (
            [
                *image_input(TensorProto.FLOAT, ["N", 3, 16, 16]),
                helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["N"]),
            ],
            r"takes 2 inputs \(images, mask\)",
        ),
    ],
    ids=["bytes", "channels last", "grey", "two inputs"],
)
def test_networks_that_take_something_else_are_refused(inputs, message, save):
    model = graph(inputs=inputs)
    with pytest.raises(BackboneError, match=message):
        opened(save(model))


def test_weights_in_other_files_are_refused(tmp_path):
    path = tmp_path / "small.onnx"
    onnx.save(graph(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(BackboneError, match="keeps weights in other files"):
        opened(path)


def test_files_that_are_no_onnx_are_refused(tmp_path, save):
    (tmp_path / "text.onnx").write_text("not a network")
    (tmp_path / "empty.onnx").write_bytes(b"")
    whole = save(graph())
    (tmp_path / "half.onnx").write_bytes(whole.read_bytes()[:300])
    for name in ("text", "empty", "half"):
        with pytest.raises(BackboneError, match="is no whole ONNX model"):
            opened(tmp_path / f"{name}.onnx")
    with pytest.raises(PathNotFoundError, match="no such file"):
        opened(tmp_path / "nowhere.onnx")


def test_control_flow_cannot_be_cut(save):
    model = graph()
    model.graph.node[2].op_type = "Loop"
    with pytest.raises(
        BackboneError, match=r"cannot be cut at layers: it has control flow \(Loop\)"
    ):
        opened(save(model))


def test_constants_are_no_layers_and_a_layer_that_is_none_is_named(save):
    model = graph()
    one = numpy_helper.from_array(np.float32([1.0]), "one")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["one"], "net/one", value=one))
    backbone = opened(save(model))
    assert "net/one" not in [layer.name for layer in backbone.layers]
    assert backbone.layers[0].name == "net/conv"
    other = dataclasses.replace(backbone.layers[0], name="net/cnov")
    with pytest.raises(
        UnknownNameError, match=r"layer 'net/cnov' of .*small\.onnx; did you mean net/conv"
    ):
        backbone.network.as_openvino([other], PREPROCESSING)


def test_a_graph_that_cannot_be_cut_is_refused_in_one_line(save):
    sparse = graph()
    sparse.graph.sparse_initializer.add()
    with pytest.raises(
        BackboneError, match=r"small\.onnx cannot be cut: len_sparse_initializer is 1"
    ):
        _ = opened(save(sparse)).layers
    twice = graph()
    twice.graph.node.append(twice.graph.node[0])
    with pytest.raises(
        BackboneError, match=r"small\.onnx cannot be cut: two of its nodes give tens"
    ):
        _ = opened(save(twice)).layers


def test_an_operator_nobody_knows_is_refused_in_one_line(save):
    model = graph()
    model.graph.node[2].op_type = "Frobnicate"
    model.graph.node[2].domain = "example.org"
    model.opset_import.append(helper.make_opsetid("example.org", 1))
    told = r"small\.onnx cannot be run: (No conv|OpenVINO does).* operations: example\.org\.Frobn"
    with pytest.raises(BackboneError, match=told) as refused:
        run(opened(save(model)), ["penultimate"], images(1)[0])
    assert "\n" not in str(refused.value)


def test_weights_cannot_be_exchanged(save):
    path = save(graph())
    with pytest.raises(WeightsError, match="leave out weights"):
        Onnx().open(str(path), WeightsChoice("random"))


def test_bare_paths_are_known_by_their_suffix():
    assert Onnx().knows("models/Small.ONNX")
    assert not Onnx().knows("resnet50")


def test_a_row_that_is_none_is_refused(save):
    model = graph()
    del model.graph.node[4:]
    model.graph.output[0].name = "p"
    backbone = opened(save(model))
    assert [layer.name for layer in backbone.layers][-1] == "net/globalaveragepool"
    with pytest.raises(BackboneError, match=r"no row an image, but \(8, 1, 1\); name a layer"):
        run(backbone, ["penultimate"], images(1)[0])


def test_without_onnx_the_error_names_the_extra(save, monkeypatch):
    path = save(graph())
    monkeypatch.setattr("penult.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[onnx\]'"):
        opened(path)


def test_the_source_keeps_its_promises(save):
    check_source(Onnx(), str(save(graph())))
