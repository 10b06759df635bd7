"""docs/notebook.ipynb runs without a browser and without widgets, and shows what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"


@pytest.mark.slow
# What zmq, tornado and asyncio warn of among themselves is not ours.
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_headless_with_progress_and_short_outputs(photos):
    for path in photos.rglob("*_0[5-9].jpg"):
        path.unlink()  # seven of each class are enough
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = {"metadata": {"path": str(photos.parent)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=folder).execute()

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    said = [output.text for output in outputs if output.output_type == "stream"]
    assert ["near-duplicate" in one for one in said] == [True]  # these photos are all much alike
    outputs = [output for output in outputs if output.output_type != "stream"]
    shown = [output.data["text/plain"] for output in outputs]
    assert max(map(len, shown)) < 1000
    *steps, rows = code[0].outputs
    assert len(steps) == 1  # one output, however often it changed
    assert "extract: 21 of 21 images" in steps[0].data["text/plain"]
    assert "loading efficientnet_lite0" in steps[0].data["text/html"]
    assert rows.data["text/plain"].startswith("Features(21 rows of 1,280 float32, 3 classes")
    assert "<table" in rows.data["text/html"]
    row, classifier, predictions = (cell.outputs[-1].data for cell in code[1:4])
    assert "daisy/daisy_01.jpg" in row["text/plain"]
    assert classifier["text/plain"].startswith("Classifier(logistic C=")
    assert "95% interval" in classifier["text/html"]
    assert predictions["text/plain"] == "Predictions(7 predictions: 7 rose)"
