"""What the stack measures, for its dashboard and its alarms.

A measure is a line in the log of the function, which CloudWatch reads as a metric. CloudWatch charges for each value of
a dimension, so a dimension has few: providers, reason codes, stages and routes, never a recording or a text.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping
from typing import NamedTuple

from aws_lambda_powertools.metrics import MetricUnit, single_metric

COUNT, SECONDS, NO_UNIT = MetricUnit.Count, MetricUnit.Seconds, MetricUnit.NoUnit


class Measure(NamedTuple):
    """The unit of a measure, the names of its dimensions, and what it says.

    One that `sums` is also there without dimensions, because an alarm watches one metric only.
    """

    unit: MetricUnit
    dimensions: tuple[str, ...]
    meaning: str
    sums: bool = False


MEASURES: Mapping[str, Measure] = {
    "Arrived": Measure(COUNT, (), "media objects that were admitted"),
    "Submitted": Measure(COUNT, ("provider",), "jobs that a provider accepted; each is paid for"),
    "Done": Measure(COUNT, ("provider",), "media objects whose insights were stored; for `bedrock`, recordings"),
    "Failed": Measure(COUNT, ("code",), "media objects that failed, by reason code"),
    "Failures": Measure(COUNT, ("cause",), "media objects that failed, by cause: `media`, `person` or `service`"),
    "Waited": Measure(COUNT, ("provider", "code"), "decisions to wait, by reason code"),
    "QueuedSeconds": Measure(SECONDS, ("provider",), "from the arrival of a media object to the provider's acceptance"),
    "JobSeconds": Measure(SECONDS, ("provider",), "from the provider's acceptance to the stored insights"),
    "StoredAfterSeconds": Measure(SECONDS, ("provider",), "from the provider's callback to the stored insights"),
    "OldestOpenSeconds": Measure(SECONDS, ("status",), "the longest wait for a recording that ended or does not start"),
    "SlotsUsed": Measure(COUNT, ("provider",), "slots of a provider that have a holder"),
    "QueueLength": Measure(COUNT, ("provider",), "media objects that wait for their turn at a provider"),
    "ProviderClosed": Measure(COUNT, ("provider",), "1 while a provider takes no jobs, else 0"),
    "SweepFound": Measure(COUNT, ("step",), "what a sweep made good, because an event or a call was lost", True),
    "Quiet": Measure(COUNT, (), "1 if no recording began for a day, but one on that day a week ago, else 0"),
    "Cost": Measure(
        NO_UNIT, ("provider",), "dollars for AWS and, at a known list price, the provider or the model", True
    ),
    "WebhookRefused": Measure(COUNT, ("route",), "requests to a webhook that were not authentic"),
}


def measure(name: str, value: float = 1, **dimensions: str) -> None:
    """Write a measure into the function's log. The namespace is that of the stage: POWERTOOLS_METRICS_NAMESPACE.

    Raises:
        KeyError: there is no such measure.
        ValueError: these are not its dimensions.
    """
    unit, names, _, sums = MEASURES[name]
    if {*names} != {*dimensions}:
        raise ValueError(f"{name} has the dimensions {names}, not {tuple(dimensions)}")
    for of in (names, ()) if sums else (names,):
        with single_metric(name=name, unit=unit, value=value) as metric:
            for dimension in of:
                metric.add_dimension(name=dimension, value=dimensions[dimension])
