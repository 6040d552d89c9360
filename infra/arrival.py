"""The arrival of a media object: EventBridge rule → intake function → one execution; the rest leaves a reason.

Whatever cannot be delivered or handled ends in a dead-letter queue.
"""

import json

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.log_group import log_group
from infra.python_function import PythonFunction
from recording_insights.model.media_object import SUFFIXES, TRACKS

# EventBridge compares suffixes with their case.
SUFFIX_FORMS = [form for suffix in SUFFIXES for form in (suffix, suffix.upper())]


class RecordingArrival(Construct):
    """Two rules on "Object Created": one for media, one that logs everything else with its reason."""

    def __init__(
        self, scope: Construct, construct_id: str, foundation: Foundation, state_machine: sfn.StateMachine
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not foundation.settings.local,
            retention_period=cdk.Duration.days(14),
        )
        self.admit = PythonFunction(
            self,
            "AdmitMedia",
            settings=foundation.settings,
            module="events.admit_media",
            description="Starts one execution per media object",
            environment={
                **foundation.environment(),
                "WORKFLOW_ARN": state_machine.state_machine_arn,
                "PREFIX_PROVIDERS": json.dumps(foundation.settings.prefix_providers),
            },
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                # With the right to list, S3 says of an object that is gone that it is gone; without, "access denied".
                foundation.list_recordings(),
                iam.PolicyStatement(actions=["states:StartExecution"], resources=[state_machine.state_machine_arn]),
            ],
            timeout=cdk.Duration.minutes(1),
            dead_letters=self.dead_letters,
        )
        created = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
        bucket = {"name": [foundation.buckets.recordings.bucket_name]}
        events.Rule(
            self,
            "MediaRule",
            description="Media objects that hold something go to the intake",
            event_pattern=events.EventPattern(
                source=created["source"],
                detail_type=created["detail-type"],
                detail={
                    "bucket": bucket,
                    "object": {
                        "key": [*({"suffix": form} for form in SUFFIX_FORMS), {"wildcard": TRACKS}],
                        "size": [{"numeric": [">", 0]}],
                    },
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self.admit.function,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=cdk.Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )
        self._log_the_rest(foundation, created, bucket)

    def _log_the_rest(
        self, foundation: Foundation, created: dict[str, list[str]], bucket: dict[str, list[str]]
    ) -> None:
        """Other playlists, slices, pictures, empty objects: hundreds per recording, so no function runs for them."""
        # EventBridge writes only to groups under this prefix.
        name = f"/aws/events/recording-insights-{foundation.settings.stage}-ignored-objects"
        # "Anything but" takes suffixes or wildcards, not both.
        media = [*(f"*{form}" for form in SUFFIX_FORMS), TRACKS]
        self.ignored = log_group(self, "IgnoredObjects", foundation.settings, name=name)
        rule = events.CfnRule(
            self,
            "IgnoredRule",
            description="Objects that are no media, or empty, are logged with the reason",
            event_pattern={
                **created,
                "detail": {
                    "bucket": bucket,
                    "$or": [
                        {"object": {"key": [{"anything-but": {"wildcard": media}}]}},
                        {"object": {"size": [0]}},
                    ],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Log",
                    arn=self.ignored.log_group_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "time": "$.time",
                            "key": "$.detail.object.key",
                            "size": "$.detail.object.size",
                        },
                        input_template=(
                            '{"timestamp": <time>, "message": "ignored: <key> (<size> bytes) is empty or not one of '
                            f'{", ".join(SUFFIXES)}, nor the playlist of a track"}}'
                        ),
                    ),
                )
            ],
        )
        logs.ResourcePolicy(
            self,
            "IgnoredObjectsPolicy",
            policy_statements=[
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[self.ignored.log_group_arn],
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
                )
            ],
        )
