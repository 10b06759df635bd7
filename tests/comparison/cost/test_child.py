import io
import logging
import pickle

import pytest

from penult.comparison.cost import child
from penult.comparison.cost.job import CostJob
from penult.comparison.cost.wire import Teller, read_cost, read_error, read_line
from penult.errors import EngineError, FileFormatError, MissingExtraError
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows
from penult.records.model_cost import ModelCost

pytestmark = pytest.mark.light


class Pipe(io.BytesIO):
    def lines(self):
        return [read_line(line) for line in self.getvalue().splitlines()]


def answer(spec):
    pipe = Pipe()
    job = pickle.loads(CostJob.here(spec, (), None).pickled())
    child._measure(CostJob(**{**vars(job), "sources": (), "engines": ()}), Teller(pipe))
    ((kind, content),) = pipe.lines()
    return kind, content


@pytest.mark.torch
def test_a_process_that_has_converted_leaves_measuring_to_another(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))  # in which nobody has converted it yet
    monkeypatch.setattr(child, "measure", lambda *_, **__: ModelCost(parameters=7))
    spec = ExtractorSpec(
        rows=ModelRows(models=(tiny,), layers=("maps",)), engine=EngineOptions(engine="openvino")
    )
    assert answer(spec) == ("again", True)
    kind, content = answer(spec)
    assert (kind, read_cost(content)) == ("cost", ModelCost(parameters=7))


def test_a_process_that_began_anew_measures_come_what_may(monkeypatch):
    monkeypatch.setattr(child, "measure", lambda *_, **__: ModelCost(parameters=7))
    monkeypatch.setattr(child, "kept_conversions", iter(["one", "another"]).__next__)
    monkeypatch.setattr(child.sys, "argv", ["cost", child.AGAIN])
    assert answer(ExtractorSpec())[0] == "cost"


def test_a_cost_is_read_as_it_was_written():
    cost = ModelCost(
        flops=3, one_image_seconds=0.25, input_size=((8, 9), (7, 7)), licence=("mit",), threads=2
    )
    Teller(pipe := Pipe()).cost(cost)
    ((kind, content),) = pipe.lines()
    assert (kind, read_cost(content)) == ("cost", cost)


def test_an_error_is_read_as_it_was_raised():
    Teller(pipe := Pipe()).fail(MissingExtraError("keras:VGG16", "keras"))
    ((_, content),) = pipe.lines()
    error = read_error(content)
    assert type(error) is MissingExtraError
    assert str(error) == str(MissingExtraError("keras:VGG16", "keras"))
    assert error.install == "pip install 'penult[keras]'"


def test_an_error_that_cannot_be_pickled_keeps_its_words():
    class OfAFunctionError(EngineError):
        pass

    Teller(pipe := Pipe()).fail(OfAFunctionError("no more room"))
    ((_, content),) = pipe.lines()
    assert repr(read_error(content)) == repr(EngineError("no more room"))


def test_what_a_library_logs_is_passed_on():
    Teller(pipe := Pipe()).handle(
        logging.LogRecord("timm", logging.WARNING, "", 0, "%d%% gone", (7,), None)
    )
    assert pipe.lines() == [("log", ["timm", logging.WARNING, "7% gone"])]


@pytest.mark.parametrize("line", [b"", b"hello", b"[1]", b'{"a": 1, "b": 2}', b"{}", b"\xff"])
def test_what_is_no_line_of_it_is_refused(line):
    with pytest.raises(FileFormatError):
        read_line(line)
