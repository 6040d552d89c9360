"""Measures: lines that CloudWatch reads as metrics, with dimensions of few values."""

from typing import Any

import pytest

from recording_insights.measures import MEASURES, measure
from tests.unit.measured import measured


def test_a_measure_is_a_line_that_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    measure("Arrived")
    measure("JobSeconds", 12.5, provider="deepgram")
    assert measured(capsys.readouterr().out) == [("Arrived", 1, {}), ("JobSeconds", 12.5, {"provider": "deepgram"})]


def test_a_measure_that_sums_is_there_without_dimensions_too(capsys: pytest.CaptureFixture[str]) -> None:
    measure("SweepFound", 3, step="media")
    assert measured(capsys.readouterr().out) == [("SweepFound", 3, {"step": "media"}), ("SweepFound", 3, {})]


@pytest.mark.parametrize("dimensions", [{}, {"provider": "deepgram", "recording_id": "r"}, {"code": "x"}])
def test_no_measure_has_another_dimension(dimensions: Any) -> None:
    with pytest.raises(ValueError, match="Done has the dimensions"):
        measure("Done", **dimensions)


def test_no_dimension_tells_recordings_apart() -> None:
    names = {name for measured_as in MEASURES.values() for name in measured_as.dimensions}
    assert names == {"provider", "code", "cause", "status", "step", "route"}
