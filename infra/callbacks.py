"""How the end of a job is reported: webhooks on the API, results in the replies bucket, or events of AWS services."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.python_function import PythonFunction
from infra.state_machine import run_executions
from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES
from recording_insights.providers.port import AwsService
from recording_insights.providers.registry import PROVIDERS, capabilities_of, receives_webhooks
from recording_insights.settings import ReceiveCallbackSettings, ReceiveResultEventSettings, job_prefix

PATHS = (
    "/webhooks/{provider}",
    "/webhooks/{provider}/{job}",
    "/webhooks/{provider}/{job}/{token}",
)


class Webhooks(Construct):
    """The address for vendors and its secret. `receive` adds the functions."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, api: apigateway.HttpApi) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        self._api = api
        self.url = (foundation.settings.webhook_base_url or api.api_endpoint).rstrip("/")
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

    def read_secret(self) -> list[iam.PolicyStatement]:
        """Read the secret; no statement if no provider of the stack calls back."""
        actions = ["secretsmanager:GetSecretValue"]
        return [iam.PolicyStatement(actions=actions, resources=[self.secret_id])] if self._used else []

    def receive(self, state_machine: sfn.StateMachine, dead_letters: sqs.IQueue) -> None:
        """Add the functions that receive callbacks, if the stack's providers need them."""
        foundation = self._foundation
        providers = foundation.settings.providers
        machine = state_machine.state_machine_arn
        rights = [
            iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=[machine]),
            *run_executions(state_machine),
        ]
        if self._used:
            self._receive_webhooks(machine, rights)
        services = [service for name in providers if (service := capabilities_of(name).aws_service)]
        deliver = any(
            capabilities_of(name).result_by == "delivery" and not receives_webhooks(name) for name in providers
        )
        if deliver or services:
            self._receive_events(machine, rights, dead_letters, deliver, services)

    def _receive_webhooks(self, workflow_arn: str, rights: Sequence[iam.PolicyStatement]) -> None:
        foundation = self._foundation
        function = PythonFunction(
            self,
            "ReceiveCallback",
            settings=foundation.settings,
            module="routes.receive_callback",
            description="Verifies a vendor's callback and ends the wait for the job",
            reads=foundation.settings_for(
                ReceiveCallbackSettings, webhook_secret=self.secret_id, workflow_arn=workflow_arn
            ),
            statements=[
                foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_replies("PutObject", prefix=CALLBACKS),
                *rights,
                *self.read_secret(),
                # The vendor's own secret checks its signatures.
                *(
                    foundation.read_secret(name)
                    for name in foundation.settings.providers
                    if receives_webhooks(name) and PROVIDERS[name].secret_keys
                ),
            ],
            timeout=cdk.Duration.seconds(29),
        )
        for path in PATHS:
            self._api.add_routes(
                path=path,
                methods=[apigateway.HttpMethod.POST],
                integration=integrations.HttpLambdaIntegration("ReceiveCallback", function.function),
                # A vendor signs in its own way, or shows the token of the job.
                authorizer=apigateway.HttpNoneAuthorizer(),
            )

    def _receive_events(
        self,
        workflow_arn: str,
        rights: Sequence[iam.PolicyStatement],
        dead_letters: sqs.IQueue,
        deliver: bool,
        services: list[AwsService],
    ) -> None:
        foundation = self._foundation
        function = PythonFunction(
            self,
            "ReceiveResultEvent",
            settings=foundation.settings,
            module="events.receive_result_event",
            description="Ends the wait for a result that a vendor delivered or AWS reported",
            reads=foundation.settings_for(ReceiveResultEventSettings, workflow_arn=workflow_arn),
            statements=[foundation.on_table("GetItem", "PutItem", "Query", "UpdateItem"), *rights],
            timeout=cdk.Duration.seconds(30),
            dead_letters=dead_letters,
        )
        target = targets.LambdaFunction(function.function, dead_letter_queue=dead_letters)
        if deliver:
            self._send_deliveries(target)
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

    def _send_deliveries(self, target: targets.LambdaFunction) -> None:
        bucket = {"name": [self._foundation.buckets.replies.bucket_name]}
        events.Rule(
            self,
            "DeliveryRule",
            description="Results that vendors upload to the replies bucket",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": bucket, "object": {"key": [{"prefix": DELIVERIES}]}},
            ),
            targets=[target],
        )
