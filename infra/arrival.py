"""The arrival of a media object: an EventBridge rule, a queue, the intake function, and one execution.

The queue keeps an event until its object is admitted. An event that fails for long goes to a dead-letter queue, from
which `StartMessageMoveTask` brings it back. Objects that are no media leave their reason in a log.
"""

from itertools import product
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.customer_key import customer_key
from infra.log_group import log_group
from infra.python_function import PythonFunction
from infra.queues import message_queue, receive_messages, target_queue
from infra.state_machine import run_executions, start_executions, wake_executions
from recording_insights.model.media_object import SUFFIXES, TRACKS
from recording_insights.settings import AdmitMediaSettings

TRACK_ENDINGS = ("__uid_e_audio.m3u8", *(f"{digit}.m3u8" for digit in range(10)))
"""Endings of the keys in `TRACKS`: a playlist that was uploaded again ends in a number. So does the playlist of a mix
whose channel ends in a digit, which is neither processed nor logged."""
CREATED = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
DELIVERIES = 100
"""Deliveries of a message before it is a dead letter: with the time-out below, ten hours of failures."""
AT_ONCE = 5
"""Batches of ten messages that are admitted at once: half of the workers of a new account, which has ten."""


class RecordingArrival(Construct):
    """Two rules on "Object Created": one for media, one that logs every other object with its reason."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        foundation: Foundation,
        state_machine: sfn.StateMachine,
        erases: sfn.StateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        self._erases = erases
        settings, timeout = foundation.settings, cdk.Duration.minutes(1)
        self.dead_letters = message_queue(self, "DeadLetters", settings, key=customer_key(self, settings))
        self.unadmitted = message_queue(self, "Unadmitted", settings)
        self.queue = message_queue(
            self, "Queue", settings, timeout=timeout, dead_letters=self.unadmitted, receives=DELIVERIES
        )
        self.admit = self._admit_media(state_machine, timeout)
        bucket = {"name": [foundation.buckets.recordings.bucket_name]}
        self._send_media(bucket)
        self._log_other_objects(bucket)

    def _admit_media(self, state_machine: sfn.StateMachine, timeout: cdk.Duration) -> PythonFunction:
        foundation = self._foundation
        admit = PythonFunction(
            self,
            "AdmitMedia",
            settings=foundation.settings,
            module="events.admit_media",
            description="Starts one execution for each media object",
            reads=foundation.settings_for(
                AdmitMediaSettings,
                workflow_arn=state_machine.state_machine_arn,
                erase_arn=self._erases.state_machine_arn,
            ),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.read_recordings(),
                # Without the right to list, S3 responds "access denied" for an object that is gone.
                foundation.list_recordings(),
                *run_executions(state_machine),
                wake_executions(state_machine),
                start_executions(self._erases),
                receive_messages(self.queue),
            ],
            timeout=timeout,
            # Events that Lambda took from the rule of an earlier version, without the queue, may still fail.
            dead_letters=self.dead_letters,
        )
        mapping = admit.function.add_event_source_mapping(
            "Messages",
            event_source_arn=self.queue.queue_arn,
            batch_size=10,
            max_concurrency=AT_ONCE,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(admit.policy)
        return admit

    def _send_media(self, bucket: dict[str, list[str]]) -> None:
        events.Rule(
            self,
            "MediaRule",
            description="Media objects that are not empty go to the queue of the intake",
            event_pattern=events.EventPattern(
                source=CREATED["source"],
                detail_type=CREATED["detail-type"],
                detail={
                    "bucket": bucket,
                    "object": {
                        "key": [
                            *({"suffix": {"equals-ignore-case": suffix}} for suffix in SUFFIXES),
                            {"wildcard": TRACKS},
                        ],
                        "size": [{"numeric": [">", 0]}],
                    },
                },
            ),
            targets=[target_queue(self.queue, self.unadmitted)],
        )

    def _log_other_objects(self, bucket: dict[str, list[str]]) -> None:
        """Log other playlists, segments, pictures and empty objects: too many per recording to run a function."""
        name = f"recording-insights-{self._foundation.settings.stage}-ignored-objects"
        # EventBridge writes only to groups under this prefix.
        self.ignored = log_group(self, "IgnoredObjects", self._foundation.settings, name=f"/aws/events/{name}")
        # "Anything but" accepts suffixes or wildcards, not both, and compares either with its case. EventBridge refuses
        # a rule with as few as eight wildcards, so the playlists of tracks are told by their endings.
        media = [*(spelling for suffix in SUFFIXES for spelling in _spellings(suffix)), *TRACK_ENDINGS]
        rule = events.CfnRule(
            self,
            "IgnoredRule",
            name=name,
            description="Objects that are no media, or empty, are logged with the reason",
            event_pattern={
                **CREATED,
                "detail": {
                    "bucket": bucket,
                    "$or": [
                        {"object": {"key": [{"anything-but": {"suffix": media}}]}},
                        {"object": {"size": [0]}},
                    ],
                },
            },
            targets=[self._log_target()],
        )
        _allow_events_to_log(self.ignored, f"/aws/events/{name}", rule_name=name)
        self.dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                resources=[self.dead_letters.queue_arn],
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )

    def _log_target(self) -> events.CfnRule.TargetProperty:
        reason = f"is empty or not one of {', '.join(SUFFIXES)}, nor the playlist of a track"
        return events.CfnRule.TargetProperty(
            id="Log",
            # Without the ":*" at the end of the group's own ARN, as in AWS's samples.
            arn=_log_arn(self, self.ignored.log_group_name),
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map={
                    "time": "$.time",
                    "key": "$.detail.object.key",
                    "size": "$.detail.object.size",
                },
                input_template=f'{{"timestamp": <time>, "message": "ignored: <key> (<size> bytes) {reason}"}}',
            ),
        )


def _spellings(suffix: str) -> list[str]:
    """A suffix in every mixture of upper and lower case."""
    cases = (sorted({letter.lower(), letter.upper()}) for letter in suffix)
    return ["".join(letters) for letters in product(*cases)]


def _allow_events_to_log(group: logs.LogGroup, group_name: str, *, rule_name: str) -> None:
    """Let EventBridge write the events of a rule to a log group, by a policy of the group itself.

    An account may have ten resource policies for all its log groups, and one more for each group. The rule is the
    source of PutLogEvents only: a condition on it would deny CreateLogStream. Both ARNs are made of names, because the
    rule refers to the group.
    Sources: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html and
    https://github.com/aws-samples/serverless-patterns/pull/618
    """
    events_log = {
        "resources": [f"{_log_arn(group, group_name)}:*"],
        "principals": [
            iam.ServicePrincipal("events.amazonaws.com"),
            iam.ServicePrincipal("delivery.logs.amazonaws.com"),
        ],
    }
    rule_arn = cdk.Stack.of(group).format_arn(service="events", resource="rule", resource_name=rule_name)
    cast(logs.CfnLogGroup, group.node.default_child).resource_policy_document = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(actions=["logs:CreateLogStream"], **events_log),
            iam.PolicyStatement(
                actions=["logs:PutLogEvents"],
                conditions={"ArnEquals": {"aws:SourceArn": rule_arn}},
                **events_log,
            ),
        ]
    )


def _log_arn(scope: Construct, group_name: str) -> str:
    arn: str = cdk.Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=group_name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return arn
