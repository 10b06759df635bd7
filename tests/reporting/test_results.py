import json

import pytest
from PIL import Image

from penult.classify.metrics.scores import score, scores_from_dict
from penult.classify.settings import LayerResult
from penult.errors import OutputExistsError, PenultError
from penult.messages import printable
from penult.records import HeldOut
from penult.reporting import check_results, write_results

SCORES = score([0, 0, 1, 1, 1], [0, 1, 1, 1, 1], ("daisy", "no \udcff utf8 \x9b\u202e"))
LAYERS = [LayerResult(f"b{k}", 8, 0.5, k / 4, (0, 1)) for k in range(4)]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_files_hold_the_scores_and_a_figure(tmp_path):
    folder = tmp_path / "deep" / "results"
    written = write_results(folder, SCORES)
    assert written == [folder / "scores.json", folder / "confusion_matrix.png"]
    assert names(folder) == ["confusion_matrix.png", "scores.json"]
    read = scores_from_dict(json.loads(written[0].read_text()))
    assert read.accuracy == SCORES.accuracy == 0.8
    assert read.confusion == ((1, 1), (0, 3))
    assert read.classes[1].label == "no \udcff utf8 \x9b\u202e"
    text = written[0].read_text("utf-8")
    assert all(printable(line) == line for line in text.split("\n"))


def test_counts_and_shares_are_two_figures(tmp_path):
    (*_, counts), (*_, shares) = (
        write_results(tmp_path / str(kind), SCORES, normalize=kind) for kind in (False, True)
    )
    assert counts.read_bytes() != shares.read_bytes()


def test_layers_have_a_chart_only_where_there_are_several(tmp_path):
    assert "layers.png" not in names(write_results(tmp_path / "one", SCORES, layers=LAYERS[:1])[0].parent)  # fmt: skip
    *_, chart = write_results(tmp_path / "four", SCORES, layers=LAYERS, chosen="b3")
    with Image.open(chart) as picture:
        assert picture.width > 600


def test_what_is_there_is_kept_unless_overwriting(tmp_path):
    write_results(tmp_path, SCORES, layers=LAYERS)
    (tmp_path / "notes.txt").write_text("mine")
    for attempt in (check_results, lambda folder: write_results(folder, SCORES)):
        with pytest.raises(OutputExistsError, match="give overwrite=True"):
            attempt(tmp_path)
    check_results(tmp_path, overwrite=True)
    write_results(tmp_path, SCORES, overwrite=True)
    # The chart of the layers would now be that of another classifier.
    assert names(tmp_path) == ["confusion_matrix.png", "notes.txt", "scores.json"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(OutputExistsError, match="is a file"):
        check_results(tmp_path / "results")
    with pytest.raises(PenultError):
        write_results(tmp_path / "results" / "deeper", SCORES)


def test_the_images_of_every_run_are_a_table(tmp_path):
    runs = [
        HeldOut(
            ids=("a,b", "=1+1"), truth=("x", "y"), predicted=("x", "x"), probability=(1, 2 / 3)
        ),
        HeldOut(ids=("c",), truth=("y",), predicted=("y",), probability=(0.5,)),
    ]
    *_, table = write_results(tmp_path, SCORES, held_out=runs)
    assert table.name == "held_out.csv"
    assert table.read_text() == (
        'id,label,predicted,probability,run\n"a,b",x,x,1,1\n=1+1,y,x,0.666667,1\nc,y,y,0.5,2\n'
    )
    write_results(tmp_path, SCORES, held_out=runs, escape_formulas=True, overwrite=True)
    assert "\n'=1+1,y" in table.read_text()
    write_results(tmp_path, SCORES, overwrite=True)
    assert not table.exists()  # it would be that of another classifier
