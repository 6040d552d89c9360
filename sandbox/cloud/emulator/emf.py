"""The embedded metric format (EMF): what a line of a log says of metrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_MOST_DIMENSIONS = 30
_MOST_VALUES = 100


class Datum(NamedTuple):
    """Values of one metric in one set of dimensions. The timestamp is in seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    timestamp: float
    unit: str
    values: Sequence[float]


def read_emf(line: str) -> list[Datum]:
    """Return the data of a line of a log, one for each metric and set of dimensions.

    A line that is not in the format has none, and a line that breaks a rule of the format has none either.
    """
    if '"_aws"' not in line:
        return []
    try:
        return _data(json.loads(line))
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return []


def _data(root: Mapping[str, Any]) -> list[Datum]:
    about = root["_aws"]
    timestamp = _number(about["Timestamp"]) / 1000
    return [
        Datum(
            _text(directive["Namespace"]),
            _text(metric["Name"]),
            dimensions,
            timestamp,
            _text(metric.get("Unit", "None")),
            _values(root[metric["Name"]]),
        )
        for directive in _list(about["CloudWatchMetrics"])
        for dimensions in [_dimensions(root, names) for names in _list(directive["Dimensions"])]
        for metric in _list(directive["Metrics"])
    ]


def _dimensions(root: Mapping[str, Any], names: Any) -> dict[str, str]:
    if len(_list(names)) > _MOST_DIMENSIONS:
        raise ValueError("too many dimensions")
    return {_text(name): _text(root[name]) for name in names}


def _values(given: Any) -> list[float]:
    values = given if isinstance(given, list) else [given]
    if not 0 < len(values) <= _MOST_VALUES:
        raise ValueError("no values, or too many")
    return [_number(value) for value in values]


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError("not a number")
    return float(given)


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError("not a text")
    return given


def _list(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError("not a list")
    return given
