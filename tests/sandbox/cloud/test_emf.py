"""A line in the embedded metric format is metrics, and a line that breaks the format is none."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.cloud.emulator.emf import Datum, read_emf

DIRECTIVE = {
    "Namespace": "Pipeline",
    "Dimensions": [["Stage", "Code"], ["Stage"], []],
    "Metrics": [{"Name": "failed", "Unit": "Count"}, {"Name": "wait", "StorageResolution": 1}],
}
ROOT = {"Stage": "poll", "Code": "too_long", "failed": 1, "wait": [2, 3.5], "recording_id": "r"}


def line(root: Mapping[str, Any] = ROOT, timestamp: Any = 1_700_000_000_500, **directive: Any) -> str:
    return json.dumps({**root, "_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [{**DIRECTIVE, **directive}]}})


def test_each_metric_is_there_in_each_set_of_dimensions() -> None:
    both = {"Stage": "poll", "Code": "too_long"}
    assert read_emf(line()) == [
        datum
        for dimensions in (both, {"Stage": "poll"}, {})
        for datum in (
            Datum("Pipeline", "failed", dimensions, 1_700_000_000.5, "Count", [1.0]),
            Datum("Pipeline", "wait", dimensions, 1_700_000_000.5, "None", [2.0, 3.5]),
        )
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "done",
        '"_aws"',
        '["_aws"]',
        '{"_aws": ',
        '{"_aws": 1}',
        "[" * 100_000 + '"_aws"',
        json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": {}}}),
        json.dumps({"_aws": {"CloudWatchMetrics": [DIRECTIVE]}, **ROOT}),
        line(timestamp="now"),
        line(Namespace=None),
        line(Dimensions=["Stage"]),
        line(Dimensions=[["Room"]]),
        line({**ROOT, "Stage": 7}),
        line(Metrics=[{"Unit": "Count"}]),
        line({**ROOT, "failed": True}),
        line({**ROOT, "failed": "1"}),
        line({**ROOT, "wait": []}),
        line({**ROOT, "wait": [1] * 101}),
        line({**ROOT, "wait": [1, None]}),
        line({**ROOT, "wait": float("inf")}),
        line({**ROOT, "wait": 10**400}),
        line(dict.fromkeys(["Stage", "Code", "wait"], "absent")),
    ],
    ids=lambda broken: broken[:40],
)
def test_a_broken_line_has_no_metrics(broken: str) -> None:
    assert read_emf(broken) == []
