"""The HTTP API: one function per route, SigV4 by default, JWT where an issuer is set."""

import json
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.log_group import log_group
from infra.python_function import PythonFunction
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET

# API Gateway answers 503 after 30 s; a function that ends before can still say why.
TIMEOUT = cdk.Duration.seconds(29)
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "caller": "$context.identity.caller",
    "error": "$context.integrationErrorMessage",
}
LOCAL_API_ID = "recordings"
GET, POST = apigateway.HttpMethod.GET, apigateway.HttpMethod.POST
PATCH, PUT = apigateway.HttpMethod.PATCH, apigateway.HttpMethod.PUT


class RecordingsApi(Construct):
    """Routes, authorizer, throttle, access log."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, watch: sfn.StateMachine) -> None:
        super().__init__(scope, construct_id)
        self._foundation = foundation
        settings = foundation.settings
        authorizer: apigateway.IHttpRouteAuthorizer = authorizers.HttpIamAuthorizer()
        if settings.jwt_issuer and settings.jwt_audience:
            authorizer = authorizers.HttpJwtAuthorizer("Jwt", settings.jwt_issuer, jwt_audience=[settings.jwt_audience])
        self.api = apigateway.HttpApi(
            self,
            "Api",
            description="Starts recordings and gives insights",
            default_authorizer=authorizer,
            create_default_stage=False,
        )
        if settings.local:
            # The local cloud gives the API this id: vendors' stand-ins know where to call before there is an API.
            cdk.Tags.of(self.api).add("ms-custom-id", LOCAL_API_ID)
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=50, burst_limit=100),
        )
        # The L2's log destination does not survive the way from Python to the CDK kernel.
        cast(
            apigateway.CfnStage, stage.node.default_child
        ).access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group(self, "AccessLog", settings).log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        self._more_environment = {"start_recording": {"WATCH_ARN": watch.state_machine_arn}}
        agora_secret = foundation.read_secret("agora")
        table = foundation.on_table
        self.functions = {
            module: self._route(method, path, module, description, statements)
            for method, path, module, description, statements in (
                (
                    POST,
                    "/recordings",
                    "start_recording",
                    "Asks Agora to record a channel",
                    [
                        table("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
                        agora_secret,
                        foundation.read_secret(UPLOADER_SECRET),
                        iam.PolicyStatement(actions=["states:StartExecution"], resources=[watch.state_machine_arn]),
                    ],
                ),
                (
                    GET,
                    "/recordings",
                    "list_recordings",
                    "Lists recordings, newest first",
                    [foundation.on_index("Query")],
                ),
                (
                    GET,
                    "/recordings/{recording_id}",
                    "get_recording",
                    "A recording and Agora's live state",
                    [table("Query", "UpdateItem"), agora_secret],
                ),
                (
                    PATCH,
                    "/recordings/{recording_id}",
                    "update_recording",
                    "Has Agora record others, or pause",
                    [table("GetItem", "UpdateItem"), agora_secret],
                ),
                (
                    PUT,
                    "/recordings/{recording_id}/layout",
                    "update_layout",
                    "Has Agora lay out the picture anew",
                    [table("GetItem", "UpdateItem"), agora_secret],
                ),
                (
                    POST,
                    "/recordings/{recording_id}/stop",
                    "stop_recording",
                    "Asks Agora to stop recording",
                    [table("GetItem", "UpdateItem", "DeleteItem"), agora_secret],
                ),
                (
                    GET,
                    "/recordings/{recording_id}/insights",
                    "get_insights",
                    "Transcript and insights",
                    [table("Query")],
                ),
            )
        }

    def _route(
        self,
        method: apigateway.HttpMethod,
        path: str,
        module: str,
        description: str,
        statements: list[iam.PolicyStatement],
    ) -> PythonFunction:
        name = "".join(word.capitalize() for word in module.split("_"))
        function = PythonFunction(
            self,
            name,
            settings=self._foundation.settings,
            module=f"routes.{module}",
            description=description,
            environment={**self._foundation.environment(), **self._more_environment.get(module, {})},
            statements=statements,
            timeout=TIMEOUT,
            memory_mb=1024 if module == "get_insights" else 512,
        )
        self.api.add_routes(
            path=path,
            methods=[method],
            integration=integrations.HttpLambdaIntegration(name, function.function),
        )
        return function
