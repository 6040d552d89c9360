"""The topic, the alarms and the dashboard of a stage."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.alarms import Alarm, Section, Watched, alarms_of, namespace_of
from infra.settings import StackSettings

MISSING = {
    "notBreaching": cloudwatch.TreatMissingData.NOT_BREACHING,
    "ignore": cloudwatch.TreatMissingData.IGNORE,
}
ROOMS: Mapping[str, Sequence[Section]] = {
    "Recordings": (Section.OLDEST_OPEN, Section.FAILURES, Section.QUIET, Section.COST),
    "Providers": (Section.CREDENTIALS, Section.PROVIDER_AWAY),
    "Lost events": (
        *(Section.DEAD_LETTERS, Section.UNPUBLISHED, Section.UNDELIVERED, Section.SWEEP_FOUND, Section.SWEEP_FAILED),
        *(Section.ERASE_FAILING, Section.WATCH_ENDED),
    ),
    "AWS": (Section.API_ERRORS, Section.THROTTLES),
}
"""The parts of the dashboard. Each section of the runbook has one diagram, with its alarms."""
FLOW = (
    ("Jobs", ("Submitted", "Done"), "Sum"),
    ("Seconds to the insights, 90th percentile", ("QueuedSeconds", "JobSeconds", "StoredAfterSeconds"), "p90"),
    ("Slots and queues", ("SlotsUsed", "QueueLength"), "Maximum"),
)
"""Diagrams of measures by provider, without alarms."""


class Monitoring(Construct):
    """Every alarm and every all-clear goes to `topic`, and from there to the stage's e-mail address and webhook."""

    def __init__(self, scope: Construct, construct_id: str, settings: StackSettings, watched: Watched) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._topic(settings)
        name = _name(settings)
        facade = monitoring.MonitoringFacade(
            self,
            "Facade",
            alarm_factory_defaults=monitoring.AlarmFactoryDefaults(
                actions_enabled=True,
                alarm_name_prefix=name,
                action=monitoring.SnsAlarmActionStrategy(on_alarm_topic=self.topic, on_ok_topic=self.topic),
            ),
            metric_factory_defaults=monitoring.MetricFactoryDefaults(namespace=namespace_of(settings)),
            dashboard_factory=monitoring.DefaultDashboardFactory(
                self,
                "Dashboard",
                dashboard_name_prefix=name,
                create_alarm_dashboard=False,
                create_summary_dashboard=False,
            ),
        )
        self._draw_flow(facade, settings)
        self._draw_alarms(facade, name, alarms_of(settings, watched))

    def _topic(self, settings: StackSettings) -> sns.Topic:
        # The key that AWS manages for SNS has a policy that CloudWatch may not use.
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        key = kms.Key(
            self,
            "Key",
            description="Recording Insights: alarms on their way",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        topic = sns.Topic(
            self,
            "Topic",
            display_name=f"Recording Insights {settings.stage}",
            master_key=key,
            enforce_ssl=not settings.local,
        )
        cloud_watch = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        # CloudWatch itself calls KMS. AWS documents no condition for that, and a wrong one would silence all alarms.
        # https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey*"], resources=["*"], principals=[cloud_watch]
            )
        )
        alarms = cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{_name(settings)}-*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[cloud_watch],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )
        if settings.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        if settings.alarm_webhook:
            https = sns.SubscriptionProtocol.HTTPS
            topic.add_subscription(subscriptions.UrlSubscription(settings.alarm_webhook, protocol=https))
        return topic

    def _draw_flow(self, facade: monitoring.MonitoringFacade, settings: StackSettings) -> None:
        groups = [
            monitoring.CustomMetricGroup(
                title=title,
                metrics=[
                    _metric(namespace_of(settings), name, {"provider": provider}, statistic, 15)
                    for name in names
                    for provider in settings.takers
                ],
            )
            for title, names, statistic in FLOW
        ]
        facade.monitor_custom(human_readable_name="Flow", alarm_friendly_name="flow", metric_groups=groups)

    def _draw_alarms(self, facade: monitoring.MonitoringFacade, name: str, alarms: Sequence[Alarm]) -> None:
        by_section = {
            section: [_with_alarm(name, alarm) for alarm in alarms if alarm.section == section] for section in Section
        }
        for room, sections in ROOMS.items():
            groups = [
                monitoring.CustomMetricGroup(title=str(section), metrics=by_section[section])
                for section in sections
                if by_section[section]
            ]
            facade.monitor_custom(human_readable_name=room, alarm_friendly_name=room, metric_groups=groups)


def _name(settings: StackSettings) -> str:
    """The name of the dashboard, which the names of the alarms begin with."""
    return f"recording-insights-{settings.stage}"


def _metric(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, minutes: int
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )


def _with_alarm(name: str, alarm: Alarm) -> monitoring.CustomMetricWithAlarm:
    compares = cloudwatch.ComparisonOperator
    threshold = monitoring.CustomThreshold(
        alarm_name_override=f"{name}-{alarm.name}",
        alarm_description_override=alarm.text,
        threshold=alarm.threshold,
        comparison_operator=(
            compares.GREATER_THAN_THRESHOLD if alarm.exclusive else compares.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        evaluation_periods=alarm.periods,
        datapoints_to_alarm=alarm.needed,
        treat_missing_data_override=MISSING[alarm.missing],
    )
    return monitoring.CustomMetricWithAlarm(
        alarm_friendly_name=alarm.name,
        metric=_metric(alarm.namespace, alarm.metric, alarm.dimensions, alarm.statistic, alarm.minutes),
        add_alarm={alarm.name: threshold},
    )
