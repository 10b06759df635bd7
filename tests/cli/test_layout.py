"""How what commands print is laid out."""

from __future__ import annotations

import json
import shutil

import pytest

from penult.cli.console import Table, table_width

pytestmark = pytest.mark.light


@pytest.fixture
def made(penult, photos, toy, tmp_path):
    rows, model = tmp_path / "rows.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", rows, "-m", toy, "-q").code == 0
    return rows, model


def test_nothing_begins_with_a_blank_line_and_no_two_follow_each_other(
    penult, photos, tmp_path, made
):
    rows, model = made
    for typed in (
        ["train", rows, "-o", model, "-q"],
        ["predict", model, photos, "-o", tmp_path / "p.csv", "-q"],
        ["info", rows],
        ["info", model],
    ):
        out = penult(*typed).out
        assert out[0] != "\n", typed
        assert "\n\n\n" not in out, typed


def test_a_name_in_the_first_column_is_not_broken(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    table = Table(("model", "licence", "weights"))
    table.add_row("bundled:efficientnet_lite0.ra_in1k", "Apache 2.0 " * 3, "a long name of weights")
    table.show()
    assert "bundled:efficientnet_lite0.ra_in1k" in capsys.readouterr().out


def shown(capsys, monkeypatch, columns, rows, *, width=50, **options):
    monkeypatch.setenv("COLUMNS", str(width))
    table = Table(columns, **options)
    for row in rows:
        table.add_row(*row)
    table.show()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    return lines


def test_words_of_a_heading_and_numbers_are_not_broken(capsys, monkeypatch):
    columns = ("image", "label", "percentile", "images in them", "why")
    row = ("tulip/0123456789.jpg", "tulip", "94.4", "1,234", "far from others, local outlier")
    lines = shown(capsys, monkeypatch, columns, [row], width=64, right=columns[2:4])
    text = " ".join(lines)
    for word in ("percentile", "images", "94.4", "1,234", "tulip/0123456789.jpg"):
        assert word in text.split()
    # With less room, the first column is broken, and after its slash.
    lines = shown(capsys, monkeypatch, columns, [row], width=54, right=columns[2:4])
    assert "percentile" in " ".join(lines).split()
    assert next(line for line in lines if "tulip" in line).split()[0] == "tulip/"


def test_a_number_is_not_broken_however_narrow_the_terminal(capsys, monkeypatch):
    columns = ("class", "precision", "recall", "support")
    row = ("bluebell", "0.950", "0.857", "1,020")
    lines = shown(capsys, monkeypatch, columns, [row], width=36, right=columns[1:])
    assert lines[-2].split() == [*row]
    monkeypatch.setenv("COLUMNS", "10")
    table = Table(columns, right=columns[1:])
    table.add_row(*row)
    table.show()
    assert capsys.readouterr().out.splitlines()[-2].split() == [*row]


def test_two_columns_of_ids_give_alike_and_are_broken_after_slashes(capsys, monkeypatch):
    ids = [f"photos/{name}/image_0001.jpg" for name in ("buttercup", "bluebell")]
    columns = ("keep", "others", "weakest link")
    lines = shown(capsys, monkeypatch, columns, [(*ids, "0.9622")], right=columns[2:], alike=True)
    assert [line.split() for line in lines[3:5]] == [
        ["photos/buttercup/", "photos/bluebell/", "0.9622"],
        ["image_0001.jpg", "image_0001.jpg"],
    ]


def test_where_all_fits_nothing_is_broken(capsys, monkeypatch):
    lines = shown(capsys, monkeypatch, ("a b", "c"), [("1/2/3", "x y")])
    assert lines[:-1] == [" a b     c", " ───────────", " 1/2/3   x y"]


def test_columns_count_in_a_pipe_as_they_do_for_the_help(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert table_width() == 200
    monkeypatch.setenv("COLUMNS", "60")
    assert table_width() == 60
    monkeypatch.setenv("COLUMNS", "²")  # a digit, and no number
    assert table_width() == 200


def test_sample_and_show_input_can_be_quiet_and_print_json(
    penult, few_digits, photos, toy, tmp_path
):
    image, seen = photos / "rose" / "rose_01.jpg", tmp_path / "seen.png"
    folder = tmp_path / "digits"
    quiet = penult("sample", "digits", folder, "-q")
    assert (quiet.code, quiet.err) == (0, "")
    told = json.loads(penult("sample", "digits", folder, "--json").out)
    assert told == {"directory": str(folder), "images": 20}
    shown = json.loads(penult("show-input", toy, image, "-o", seen, "--json").out)
    assert (shown["output"], shown["backbone"]) == (str(seen), toy)
    done = penult("show-input", toy, image, "-o", seen, "-q", "--overwrite")
    assert (done.out.count("\n"), done.err) == (1, "")


def test_a_folder_of_results_is_named_as_it_was_given(penult, tmp_path, made):
    rows, model = made
    (tmp_path / "rep1").mkdir()
    (tmp_path / "rep1" / "scores.json").touch()
    for typed in (
        ["report", rows, "-o", tmp_path / "rep1"],
        ["train", rows, "-o", model, "--results", tmp_path / "rep1"],
    ):
        done = penult(*typed)
        assert done.code == 2
        assert done.err == (
            f"penult: {tmp_path / 'rep1'} has scores.json already; give --overwrite to replace "
            "what is there, or another folder\n"
        )


def test_a_report_that_failed_says_how_to_go_on_and_leaves_nothing_empty(
    penult, photos, toy, tmp_path
):
    folder = tmp_path / "report"
    shutil.copytree(photos / "rose", tmp_path / "few" / "rose")
    (tmp_path / "few" / "tulip").mkdir()
    shutil.copy(photos / "tulip" / "tulip_01.jpg", tmp_path / "few" / "tulip")
    done = penult("report", tmp_path / "few", "-o", folder, "-m", toy, "-q")
    assert done.code == 1
    assert (
        f"; the rows are safe in {folder / 'report.parts'}: once that is mended, the same command "
        "goes on from there\n"
    ) in done.err
    done = penult("report", photos, "-o", tmp_path / "r", "-m", toy, "--engine", "nothing")
    assert done.code == 2
    assert not (tmp_path / "r").exists()


def test_ctrl_c_is_always_answered(penult, photos, toy, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("penult.tasks.info.info", stopped)
    done = penult("info", photos)
    assert (done.code, done.err) == (130, "penult: stopped\n")


def test_a_report_that_is_stopped_after_its_rows_says_that_they_are_kept(
    penult, photos, toy, tmp_path, monkeypatch
):
    import signal

    def stopped(*_, **__):
        signal.raise_signal(signal.SIGINT)  # in this thread: another may handle it too late

    monkeypatch.setattr("penult.reporting.make.train_classifier", stopped)
    done = penult("report", photos, "-o", tmp_path / "r", "-m", toy, "-q")
    rows = tmp_path / "r" / "report.parts" / "features.h5"
    assert done.code == 130
    assert done.err == (
        f"penult: stopped; the rows are safe in {rows}: the same command goes on from there\n"
    )
