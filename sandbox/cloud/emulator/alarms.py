"""Corrections of CloudWatch's alarms: they know dimensions, periods, missing data and time, and reach SNS.

ministack evaluates an alarm when PutMetricData is called, over all values of its metric together. It never tells of
missing data, and refuses templates that name the metric in `Metrics`.

The alarms have a scale of their own, ALARM_SCALE (1 at first), because an alarm of a day or a quarter of an hour would
outlast every test. It multiplies their periods, but no period is shorter than SHORTEST_PERIOD_SECONDS: a value is then
seen whatever the scale. Values are not scaled: an age in seconds is one of the clock.
"""

import logging
import operator
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from itertools import takewhile
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.scales import add_scale

ALARM_SCALE = "cloudwatch._ALARM_SCALE"
"""The setting of `/_ministack/config` that multiplies the periods of alarms, and the minute of the queues' metrics."""
SHORTEST_PERIOD_SECONDS = 2.0
_TICK_SECONDS = 0.5
_LONGEST_STALL_SECONDS = 30
"""Alarms are also evaluated at the ticks that a busy machine has missed, as long as these are not older than this."""
_REPORT_SECONDS = 60
_LATE_SECONDS = 60
"""Values of a metric come in the order of their times, but for those that are late by less than this."""
_MORE_PERIODS = 2
"""An alarm looks back by so many periods more than its EvaluationPeriods when data is missing."""
_BASIC = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
_EXTENDED = re.compile(r"p(\d{1,2}(\.\d+)?|100)")
_COMPARES: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
}


def take_alarms_of_one_metric() -> None:
    """Accept an alarm that names one metric in `Metrics`, and refuse each alarm that cannot be evaluated here.

    cdk-monitoring-constructs writes every alarm in that form. DescribeAlarms shows the metric in MetricName and the
    like. Metric math, anomaly detection and statistics such as trimmed means are refused.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-alarm.html

    Raises:
        RuntimeError: the installed ministack creates alarms in another way.
    """
    from ministack.services import cloudwatch  # type: ignore[import-untyped]
    from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

    require_parameters(provisioners._cw_metric_alarm_record, "name", "props")
    require_source(provisioners._cw_metric_alarm_put, "_cw_metric_alarm_record(name, props)")
    require_parameters(cloudwatch._put_metric_alarm, "params", "cbor_data", "is_cbor", "is_json")
    require_source(cloudwatch._put_metric_alarm, 'cbor_data.get("MetricName")', '_p(params, "MetricName")')
    record, put = provisioners._cw_metric_alarm_record, cloudwatch._put_metric_alarm

    @wraps(record)
    def record_of_one_metric(name: str, properties: Mapping[str, Any]) -> Any:
        return record(name, of_one_metric(properties))

    @wraps(put)
    def put_of_one_metric(params: Mapping[str, Any], given: Mapping[str, Any], is_cbor: bool, is_json: bool) -> Any:
        try:
            if is_cbor or is_json:
                given = of_one_metric(given)
            else:
                of_one_metric(_of_query(params))
        except ValueError as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        return put(params, given, is_cbor, is_json)

    provisioners._cw_metric_alarm_record = record_of_one_metric
    cloudwatch._put_metric_alarm = put_of_one_metric


def of_one_metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an alarm with its metric in MetricName, Namespace, Dimensions, Period and the statistic.

    Raises:
        ValueError: it has metric math, or a statistic or a comparison that the local cloud does not evaluate.
    """
    plain = {name: value for name, value in alarm.items() if name != "Metrics"}
    if metrics := alarm.get("Metrics"):
        if len(metrics) != 1 or "MetricStat" not in metrics[0]:
            raise ValueError("The local cloud evaluates no metric math: an alarm has one metric, and no Expression.")
        queried = metrics[0]["MetricStat"]
        kind = "Statistic" if queried["Stat"] in _BASIC else "ExtendedStatistic"
        unit = {"Unit": queried["Unit"]} if queried.get("Unit") else {}
        plain |= {**queried["Metric"], "Period": int(queried["Period"]), kind: queried["Stat"], **unit}
    if plain.get("ComparisonOperator") not in _COMPARES:
        raise ValueError(f"The local cloud evaluates no ComparisonOperator {plain.get('ComparisonOperator')}.")
    extended = plain.get("ExtendedStatistic")
    if plain.get("Statistic") not in (None, *_BASIC) or (extended and not _EXTENDED.fullmatch(extended)):
        raise ValueError(f"The local cloud evaluates no statistic {extended or plain['Statistic']}.")
    return plain


def _of_query(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides whether an alarm can be evaluated, of a request in the query protocol."""
    from ministack.services import cloudwatch

    names = ("ComparisonOperator", "Statistic", "ExtendedStatistic")
    given = {name: cloudwatch._p(params, name) or None for name in names}
    # ministack reads no Metrics from this protocol.
    return {**given, "Metrics": [{}]} if "Metrics.member.1.Id" in params else given


def evaluate_alarms_by_time(report_queues: Callable[[float], None]) -> None:
    """Evaluate all alarms every half second, and do what they say for a new state: ALARM, OK or INSUFFICIENT_DATA.

    An alarm sees the values of exactly its dimensions, and of its unit if it names one. Its periods end now. It needs
    DatapointsToAlarm of its EvaluationPeriods.
    `report_queues` reports once a minute of the alarms' clock. SQS does so on AWS.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

    Raises:
        RuntimeError: the installed ministack keeps values, or evaluates alarms, in another way.
    """
    from ministack.services import cloudwatch

    require_parameters(cloudwatch._evaluate_alarm, "alarm")
    require_source(cloudwatch._evaluate_alarm, "_dispatch_alarm_actions(alarm, old_state, new_state, reason)")
    require_source(
        cloudwatch._evaluate_alarm, "_stat_value(stats, stat_name, recent)", "_evaluate_parent_alarms(alarm)"
    )
    require_source(cloudwatch._put_metric_data, "_evaluate_all_alarms()")
    require_source(cloudwatch._store_datum, '"Timestamp": ts, "Unit": unit', "_dims_key(dims)")
    require_parameters(cloudwatch._record_history, "alarm_name", "old_state", "new_state", "reason")
    add_scale(ALARM_SCALE, cloudwatch)
    evaluate = cloudwatch._evaluate_alarm

    @wraps(evaluate)
    def evaluate_later(_: Any) -> None:
        """The timer evaluates. Two at once could act twice."""

    cloudwatch._evaluate_alarm = evaluate_later
    threading.Thread(target=_keep_evaluating, args=(report_queues,), daemon=True, name="alarms").start()


def _keep_evaluating(report_queues: Callable[[float], None]) -> None:
    from ministack.services import cloudwatch

    evaluated_at = reported_at = time.time()
    while True:
        time.sleep(_TICK_SECONDS)
        now = time.time()
        if now - reported_at >= _REPORT_SECONDS * cloudwatch._ALARM_SCALE:
            report_queues(now)
            reported_at = now
        for at in _ticks(max(evaluated_at, now - _LONGEST_STALL_SECONDS), now):
            for alarm in cloudwatch._alarms.values():
                try:
                    _evaluate(alarm, at)
                except Exception:  # the others are evaluated
                    logging.getLogger("cloudwatch").exception("%s was not evaluated", alarm.get("AlarmName"))
        evaluated_at = now


def _ticks(last: float, now: float) -> Iterator[float]:
    """The times after `last` at which alarms are evaluated, up to `now`."""
    while now - last > 2 * _TICK_SECONDS:
        last += _TICK_SECONDS
        yield last
    yield now


def _evaluate(alarm: dict[str, Any], at: float) -> None:
    """Evaluate an alarm at a time in seconds. If its state changes, note that and run its actions."""
    from ministack.services import cloudwatch

    periods = int(alarm.get("EvaluationPeriods") or 1)
    needed, missing = int(alarm.get("DatapointsToAlarm") or periods), alarm.get("TreatMissingData") or "missing"
    (compare, compared), threshold = _COMPARES[alarm["ComparisonOperator"]], alarm["Threshold"]
    values = _values(alarm, at, periods + _MORE_PERIODS)
    breaching = [None if value is None else compare(value, threshold) for value in values]
    before, after = alarm["StateValue"], state_of(breaching, periods=periods, needed=needed, missing=missing)
    if after in (None, before):
        return
    known = [value for value in values if value is not None][:periods]
    hits = sum(compare(value, threshold) for value in known)
    reason = (
        f"Insufficient Data: {periods} datapoints were unknown."
        if after == "INSUFFICIENT_DATA"
        else f"Threshold Crossed: {hits} of the datapoints {known} were {compared} the threshold ({threshold}), and "
        f"{periods - len(known)} missing ones are treated as {missing}."
    )
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(at))
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def state_of(breaching: Sequence[bool | None], *, periods: int, needed: int, missing: str) -> str | None:
    """Return the state of an alarm by its last datapoints, the newest first. None means: the state that it has.

    A datapoint breaches the threshold or not, or is missing (None). There may be more than `periods`: older ones count
    where newer ones are missing. `needed` of `periods` datapoints make an alarm. `missing` is TreatMissingData.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    known = [datapoint for datapoint in breaching if datapoint is not None][:periods]
    lacking = periods - len(known)
    if sum(known) + (lacking if missing == "breaching" else 0) >= needed:
        return "ALARM"
    if not lacking or False in known or missing in ("breaching", "notBreaching"):
        return "OK"
    if missing == "ignore":
        return None
    if not known:
        return "INSUFFICIENT_DATA"
    # AWS: too few breach, but none does not, and the oldest one that breaches is as old as the alarm needs.
    oldest = max(age for age, datapoint in enumerate(breaching, start=1) if datapoint)
    return "ALARM" if oldest >= needed else None


def _values(alarm: Mapping[str, Any], at: float, periods: int) -> list[float | None]:
    """Return the statistic of an alarm's metric in each of the last `periods`, the newest first. None: no data."""
    from ministack.services import cloudwatch

    seconds = max(alarm["Period"] * cloudwatch._ALARM_SCALE, SHORTEST_PERIOD_SECONDS)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    points: list[list[Any]] = [[] for _ in range(periods)]
    for point in _points(alarm, since=at - periods * seconds):
        period = int((at - point["Timestamp"]) // seconds)
        if 0 <= period < periods:
            points[period].append(point)
    return [cloudwatch._stat_value(cloudwatch._calc_stats(of), statistic, of) if of else None for of in points]


def _points(alarm: Mapping[str, Any], since: float) -> Iterator[Mapping[str, Any]]:
    """The values of an alarm's metric, the newest first, back to a time or a little further."""
    from ministack.services import cloudwatch

    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    kept = cloudwatch._metrics.get((alarm.get("Namespace"), alarm.get("MetricName"), dimensions)) or []
    recent = takewhile(lambda point: point["Timestamp"] > since - _LATE_SECONDS, reversed(kept))
    return (point for point in recent if alarm.get("Unit") in (None, point["Unit"]))
