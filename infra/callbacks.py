"""How the end of a job is reported: webhooks on the API, results in the replies bucket, or events of AWS services."""

from collections.abc import Mapping, Sequence
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.api import RESULT_THROTTLE, RecordingsApi
from infra.python_function import PythonFunction
from infra.state_machine import run_executions, start_executions, wake_executions
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES
from recording_insights.aws.secrets import CACHE_SECONDS
from recording_insights.processing.turns import LEASE_MARGIN_SECONDS
from recording_insights.providers.port import AwsService
from recording_insights.providers.registry import (
    PROVIDERS,
    capabilities_of,
    receives_webhooks,
    sends_result,
    uploads_result,
    webhook_secret,
)
from recording_insights.settings import (
    KeepResultSettings,
    ReceiveCallbackSettings,
    ReceiveResultEventSettings,
    job_prefix,
)

PATHS = (
    "/webhooks/{provider}/{job}",
    "/webhooks/{provider}/{job}/{token}",
)


class Webhooks(Construct):
    """The address for vendors and its secret. `receive` adds the functions."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, api: RecordingsApi) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        self._api = api
        self.url = (foundation.settings.webhook_base_url or api.own_address).rstrip("/")
        self._used = any(receives_webhooks(name) for name in foundation.settings.providers)
        self.secret_id = self._secret().attr_id if self._used else "none: no provider of this stack POSTs to us"

    def _secret(self) -> secretsmanager.CfnSecret:
        """The secret that makes and checks the tokens of callbacks. No person needs to know it."""
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            description="Recording Insights: makes the tokens of callbacks",
            kms_key_id=self._foundation.settings.kms_key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template="{}",  # noqa: S106 - becomes {"key": "…"}
                generate_string_key="key",
                password_length=64,
                exclude_punctuation=True,
            ),
        )
        # It ends with the stack: the address that the tokens are for is gone then.
        secret.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return secret

    def outputs(self) -> dict[str, str]:
        """The secret, and how long after a rotation a job may call back with a token of the former key."""
        settings = self._foundation.settings
        # The token is made before the submission, with a copy of the key that may be as old as a cache lives.
        minutes = settings.poll_ceiling_minutes + LEASE_MARGIN_SECONDS // 60 + ceil(CACHE_SECONDS / 60)
        return {"WebhookSecretArn": self.secret_id, "WebhookKeyMinutes": str(minutes)} if self._used else {}

    def read_secret(self) -> list[iam.PolicyStatement]:
        """Read the secret; no statement if no provider of the stack calls back."""
        actions = ["secretsmanager:GetSecretValue"]
        return [iam.PolicyStatement(actions=actions, resources=[self.secret_id])] if self._used else []

    def receive(self, state_machine: sfn.StateMachine, erases: sfn.StateMachine, dead_letters: sqs.IQueue) -> None:
        """Add the functions that receive callbacks, if the stack's providers need them."""
        foundation = self._foundation
        providers = foundation.settings.providers
        machines = {"workflow_arn": state_machine.state_machine_arn, "erase_arn": erases.state_machine_arn}
        rights = [
            wake_executions(state_machine),
            *run_executions(state_machine),
            start_executions(erases),
        ]
        kept = [name for name in providers if sends_result(name)]
        for name in kept:
            self._keep_results(name)
        if callers := [name for name in providers if receives_webhooks(name) and name not in kept]:
            self._receive_webhooks(callers, machines, rights)
        services = [service for name in providers if (service := capabilities_of(name).aws_service)]
        deliver = any(map(uploads_result, providers))
        prefixes = [*(f"{CALLBACKS}{name}/" for name in kept), *([DELIVERIES] if deliver else [])]
        if prefixes or services:
            self._receive_events(machines, rights, dead_letters, prefixes, services)

    def _keep_results(self, provider: str) -> None:
        """Add a function and a route for one provider alone: other callbacks cannot take its workers."""
        foundation = self._foundation
        function = PythonFunction(
            self,
            f"KeepResult{provider.capitalize()}",
            settings=foundation.settings,
            module="routes.keep_result",
            description=f"Verifies and stores the results that {provider} sends",
            reads=foundation.settings_for(KeepResultSettings, provider=provider),
            statements=[
                foundation.on_replies("PutObject", prefix=f"{CALLBACKS}{provider}/"),
                foundation.read_secret(webhook_secret(provider)),
            ],
            timeout=cdk.Duration.seconds(29),
            reserved=foundation.settings.result_concurrency or None,
        )
        self._api.add_webhook(f"/webhooks/{provider}", function, RESULT_THROTTLE)

    def _receive_webhooks(
        self, providers: list[str], machines: Mapping[str, str], rights: Sequence[iam.PolicyStatement]
    ) -> None:
        foundation = self._foundation
        function = PythonFunction(
            self,
            "ReceiveCallback",
            settings=foundation.settings,
            module="routes.receive_callback",
            description="Verifies a vendor's callback and ends the wait for the job",
            reads=foundation.settings_for(ReceiveCallbackSettings, webhook_secret=self.secret_id, **machines),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                *(
                    foundation.on_replies("PutObject", prefix=f"{CALLBACKS}{name}/")
                    for name in providers
                    if capabilities_of(name).callback_is_result
                ),
                *rights,
                *self.read_secret(),
                *(foundation.read_secret(webhook_secret(name)) for name in providers if PROVIDERS[name].webhook_key),
            ],
            timeout=cdk.Duration.seconds(29),
        )
        for path in PATHS:
            # A vendor signs in its own way, or shows the token of the job.
            self._api.add_webhook(path, function)

    def _receive_events(
        self,
        machines: Mapping[str, str],
        rights: Sequence[iam.PolicyStatement],
        dead_letters: sqs.IQueue,
        prefixes: list[str],
        services: list[AwsService],
    ) -> None:
        foundation = self._foundation
        function = PythonFunction(
            self,
            "ReceiveResultEvent",
            settings=foundation.settings,
            module="events.receive_result_event",
            description="Ends the wait for a result that a vendor delivered or AWS reported",
            reads=foundation.settings_for(ReceiveResultEventSettings, **machines),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                *(
                    foundation.on_replies("GetObject", prefix=prefix)
                    for prefix in prefixes
                    if prefix.startswith(CALLBACKS)
                ),
                *rights,
            ],
            timeout=cdk.Duration.seconds(30),
            dead_letters=dead_letters,
        )
        target = targets.LambdaFunction(function.function, dead_letter_queue=dead_letters)
        if prefixes:
            self._send_results(target, prefixes)
        for service in services:
            events.Rule(
                self,
                f"JobsOf{service.name.capitalize()}",
                description=f"Ends of jobs at {service.event_source}",
                event_pattern=events.EventPattern(
                    source=[service.event_source],
                    detail_type=[service.detail_type],
                    detail={
                        service.job_name: [{"prefix": job_prefix(foundation.settings.stage)}],
                        service.job_status: list(service.ended),
                    },
                ),
                targets=[target],
            )

    def _send_results(self, target: targets.LambdaFunction, prefixes: list[str]) -> None:
        bucket = {"name": [self._foundation.buckets.replies.bucket_name]}
        events.Rule(
            self,
            "DeliveryRule",
            description="Results that arrive in the replies bucket",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": bucket, "object": {"key": [{"prefix": prefix} for prefix in prefixes]}},
            ),
            targets=[target],
        )
