"""The HTTP API: one function for each route, with SigV4 by default, or JWT if the settings name an issuer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.access import Foundation
from infra.log_group import delivered_log_group
from infra.python_function import PythonFunction
from infra.route_classes import RATES, class_of
from infra.settings import StackSettings
from infra.state_machine import run_executions, start_executions, wake_executions
from recording_insights.agora.rtc_token import CERTIFICATE_SECRET
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.settings import (
    AdmitObjectSettings,
    CancelRecordingSettings,
    CancelRetrySettings,
    CorrectTranscriptSettings,
    FunctionSettings,
    GetInsightsSettings,
    GetMediaSettings,
    GetRecordingSettings,
    GetRetrySettings,
    ListInsightsSettings,
    ListProvidersSettings,
    ListRecordingsSettings,
    ListRetriesSettings,
    OpenUploadSettings,
    RetryManySettings,
    RetryRecordingSettings,
    StartRecordingSettings,
    StopRecordingSettings,
    UpdateLayoutSettings,
    UpdateProviderSettings,
    UpdateRecordingSettings,
)


def throttle_of(rate: int) -> apigateway.ThrottleSettings:
    """The throttle of a route: so many requests a second, and bursts of twice as many."""
    return apigateway.ThrottleSettings(rate_limit=rate, burst_limit=2 * rate)


API_THROTTLE = throttle_of(RATES["read"])
"""Of a route without one of its own."""
WEBHOOK_THROTTLE = apigateway.ThrottleSettings(rate_limit=50, burst_limit=100)
"""Of each webhook, apart from the routes of the API: anybody may POST to a webhook.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
"""
RESULT_THROTTLE = apigateway.ThrottleSettings(rate_limit=100, burst_limit=200)
"""Of each webhook whose callbacks nobody repeats: a refused one may be a lost result."""
# API Gateway responds 503 after 30 s. A function that ends earlier can still give the reason.
TIMEOUT = cdk.Duration.seconds(29)
ACCESS_LOG = {
    "userAgent": "$context.identity.userAgent",
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "sourceIp": "$context.identity.sourceIp",
    "caller": "$context.identity.caller",
    "userArn": "$context.identity.userArn",
    "subject": "$context.authorizer.claims.sub",
    "clientId": "$context.authorizer.claims.client_id",
    "error": "$context.integrationErrorMessage",
}
"""Who called which route, from where and with what. The path is left out: that of a webhook may hold its token.

The user agent comes first, because the client writes it. Of two fields of one name, readers of JSON take the last.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""
LOCAL_API_ID = "recordings"
GET, POST = apigateway.HttpMethod.GET, apigateway.HttpMethod.POST
PATCH, PUT = apigateway.HttpMethod.PATCH, apigateway.HttpMethod.PUT
DELETE = apigateway.HttpMethod.DELETE
CORS_METHODS = tuple(apigateway.CorsHttpMethod[name] for name in ("GET", "POST", "PATCH", "PUT", "DELETE"))
CORS_HEADERS = (
    *("authorization", "content-type", "idempotency-key"),
    *("x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),
)
"""What a page may send: its JSON, and a token or a signature."""
CORS_EXPOSED = ("location", "retry-after", "apigw-requestid")


@dataclass(frozen=True)
class Route:
    """A route and its function: the file in functions/routes, the settings that it reads, and its rights."""

    method: apigateway.HttpMethod
    path: str
    module: str
    description: str
    reads: FunctionSettings
    statements: Sequence[iam.PolicyStatement]
    memory_mb: int = 512

    @property
    def key(self) -> str:
        """The route as API Gateway names it."""
        return f"{self.method.value} {self.path}"


class RecordingsApi(Construct):
    """Routes, authorizer, throttle and access log."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, watch: sfn.StateMachine) -> None:
        super().__init__(scope, construct_id)
        settings = foundation.settings
        self.api = apigateway.HttpApi(
            self,
            "Api",
            description="Starts recordings and gives insights",
            default_authorizer=_authorizer(settings),
            create_default_stage=False,
            cors_preflight=_cors(settings),
            disable_execute_api_endpoint=settings.disable_execute_api_endpoint,
        )
        # The L2 does not give the address if the address answers nobody.
        self.own_address: str = cast(apigateway.CfnApi, self.api.node.default_child).attr_api_endpoint
        if settings.local:
            # The local cloud gives the API this id. The vendors' stand-ins know the address before the API exists.
            cdk.Tags.of(self.api).add("ms-custom-id", LOCAL_API_ID)
        self._stage = self._add_stage(settings)
        self._throttles: dict[str, dict[str, float]] = {}
        starts = (start_route(foundation, watch), upload_route(foundation))
        routes = (*starts, *control_routes(foundation, watch), *read_routes(foundation))
        self.functions = {route.module: self.add_route(route, settings) for route in routes}

    def add_webhook(
        self, path: str, function: PythonFunction, throttle: apigateway.ThrottleSettings = WEBHOOK_THROTTLE
    ) -> None:
        """Add a POST route with a throttle of its own, without an authorizer: vendors have no credentials of AWS."""
        routes = self.api.add_routes(
            path=path,
            methods=[POST],
            integration=integrations.HttpLambdaIntegration(function.node.id, function.function),
            authorizer=apigateway.HttpNoneAuthorizer(),
        )
        self._throttle(f"POST {path}", routes, throttle)

    def _throttle(
        self, key: str, routes: Sequence[apigateway.HttpRoute], throttle: apigateway.ThrottleSettings
    ) -> None:
        self._throttles[key] = {
            "ThrottlingRateLimit": throttle.rate_limit or 0,
            "ThrottlingBurstLimit": throttle.burst_limit or 0,
        }
        self._stage.route_settings = self._throttles
        # A stage may have settings only of routes that exist. Source:
        # https://github.com/terraform-aws-modules/terraform-aws-apigateway-v2/pull/80
        for route in routes:
            self._stage.node.add_dependency(route)

    def _add_stage(self, settings: StackSettings) -> apigateway.CfnStage:
        access_log = delivered_log_group(self, "AccessLog", settings, source="api")
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            throttle=API_THROTTLE,
        )
        cfn = cast(apigateway.CfnStage, stage.node.default_child)
        # The L2's log destination does not survive the way from Python to the CDK kernel.
        cfn.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        return cfn

    def add_route(self, route: Route, settings: StackSettings) -> PythonFunction:
        """Add a route and its function behind the API's authorizer."""
        name = "".join(word.capitalize() for word in route.module.split("_"))
        function = PythonFunction(
            self,
            name,
            settings=settings,
            module=f"routes.{route.module}",
            description=route.description,
            reads=route.reads,
            statements=route.statements,
            timeout=TIMEOUT,
            memory_mb=route.memory_mb,
        )
        kind = class_of(route.key)
        routes = self.api.add_routes(
            path=route.path,
            methods=[route.method],
            integration=integrations.HttpLambdaIntegration(name, function.function),
            authorization_scopes=[settings.jwt_scopes[kind]] if settings.jwt_scopes else None,
        )
        self._throttle(route.key, routes, throttle_of(settings.throttles.get(kind, RATES[kind])))
        return function


def start_route(foundation: Foundation, watch: sfn.StateMachine) -> Route:
    """The route that starts a recorder and its watch."""
    return Route(
        POST,
        "/recordings",
        "start_recording",
        "Asks Agora to record a channel",
        foundation.settings_for(StartRecordingSettings, watch_arn=watch.state_machine_arn),
        [
            foundation.on_table("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            foundation.read_secret("agora"),
            foundation.read_secret(CERTIFICATE_SECRET),
            foundation.read_secret(UPLOADER_SECRET),
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[watch.state_machine_arn]),
        ],
    )


def upload_route(foundation: Foundation) -> Route:
    """The route that gives a link for one file. A link has the right of the function that signs it."""
    return Route(
        POST,
        "/uploads",
        "open_upload",
        "Returns a link to upload a recording",
        foundation.settings_for(OpenUploadSettings),
        [foundation.on_table("GetItem", "PutItem", "UpdateItem"), foundation.write_uploads()],
    )


def control_routes(foundation: Foundation, watch: sfn.StateMachine) -> list[Route]:
    """The routes that control a running recorder."""
    reads, table, agora_secret = foundation.settings_for, foundation.on_table, foundation.read_secret("agora")
    return [
        Route(
            PATCH,
            "/recordings/{recording_id}",
            "update_recording",
            "Changes whom Agora records, or pauses",
            reads(UpdateRecordingSettings),
            [table("GetItem", "PutItem", "UpdateItem", "DeleteItem"), agora_secret],
        ),
        Route(
            PATCH,
            "/recordings/{recording_id}/transcript",
            "correct_transcript",
            "Corrects lines of a transcript",
            reads(CorrectTranscriptSettings),
            [table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")],
        ),
        Route(
            PUT,
            "/recordings/{recording_id}/layout",
            "update_layout",
            "Changes the layout of the video",
            reads(UpdateLayoutSettings),
            [table("GetItem", "UpdateItem"), agora_secret],
        ),
        Route(
            POST,
            "/recordings/{recording_id}/stop",
            "stop_recording",
            "Asks Agora to stop recording",
            reads(StopRecordingSettings, watch_arn=watch.state_machine_arn),
            [
                table("GetItem", "UpdateItem", "DeleteItem"),
                agora_secret,
                iam.PolicyStatement(actions=["states:StartExecution"], resources=[watch.state_machine_arn]),
            ],
        ),
    ]


def read_routes(foundation: Foundation) -> list[Route]:
    """The routes that return recordings and insights."""
    reads = foundation.settings_for
    return [
        Route(
            GET,
            "/recordings",
            "list_recordings",
            "Lists recordings, newest first",
            reads(ListRecordingsSettings),
            [foundation.on_indexes("Query"), foundation.on_table("GetItem", "Query")],
        ),
        Route(
            GET,
            "/recordings/{recording_id}",
            "get_recording",
            "Returns a recording and Agora's live state",
            reads(GetRecordingSettings),
            [foundation.on_table("GetItem", "Query", "UpdateItem"), foundation.read_secret("agora")],
        ),
        Route(
            GET,
            "/recordings/{recording_id}/insights",
            "get_insights",
            "Returns transcript and insights",
            reads(GetInsightsSettings),
            [foundation.on_table("GetItem", "Query"), foundation.on_words("GetObject"), foundation.list_replies()],
            memory_mb=1024,
        ),
        Route(
            GET,
            "/insights",
            "list_insights",
            "Returns what changed, with transcripts and insights",
            reads(ListInsightsSettings),
            [foundation.on_indexes("Query"), foundation.on_table("GetItem", "Query")],
            memory_mb=1024,
        ),
        Route(
            GET,
            "/recordings/{recording_id}/media",
            "get_media",
            "Returns links to play a recording",
            reads(GetMediaSettings),
            [foundation.on_table("Query"), foundation.read_recordings()],
        ),
    ]


def retry_routes(
    foundation: Foundation, workflow: sfn.StateMachine, retries: sfn.StateMachine, erases: sfn.StateMachine
) -> list[Route]:
    """The routes that have media objects processed: again, or although their event never came."""
    reads, table = foundation.settings_for, foundation.on_table
    writes = [table("GetItem", "PutItem", "Query", "UpdateItem"), *run_executions(workflow)]
    return [
        Route(
            POST,
            "/recordings/{recording_id}/retry",
            "retry_recording",
            "Processes failed media objects of a recording again",
            reads(RetryRecordingSettings, workflow_arn=workflow.state_machine_arn),
            writes,
        ),
        Route(
            POST,
            "/media",
            "admit_object",
            "Has an object processed that was ignored or never seen",
            reads(
                AdmitObjectSettings,
                workflow_arn=workflow.state_machine_arn,
                erase_arn=erases.state_machine_arn,
            ),
            [
                *writes,
                wake_executions(workflow),
                start_executions(erases),
                foundation.read_recordings(),
                foundation.list_recordings(),
            ],
        ),
        Route(
            POST,
            "/retries",
            "retry_many",
            "Starts a retry of many media objects, or counts them",
            reads(RetryManySettings, retries_arn=retries.state_machine_arn),
            [
                table("GetItem", "PutItem", "Query", "UpdateItem"),
                foundation.on_indexes("Query"),
                *run_executions(retries),
            ],
        ),
        Route(
            GET,
            "/retries",
            "list_retries",
            "Lists the last retries of many media objects",
            reads(ListRetriesSettings),
            [table("Query")],
        ),
        Route(
            GET,
            "/retries/{retry_id}",
            "get_retry",
            "Returns a retry of many media objects",
            reads(GetRetrySettings),
            [table("GetItem")],
        ),
        Route(
            POST,
            "/retries/{retry_id}/cancel",
            "cancel_retry",
            "Ends a retry of many media objects",
            reads(CancelRetrySettings),
            [table("GetItem", "UpdateItem")],
        ),
    ]


def provider_routes(
    foundation: Foundation, workflow: sfn.StateMachine, derives: sfn.StateMachine | None
) -> list[Route]:
    """The routes with which an operator holds back what waits: a provider, the model, or a recording."""
    reads, table = foundation.settings_for, foundation.on_table
    wakes = wake_executions(workflow)
    wakes_all = [wakes, *([wake_executions(derives)] if derives else [])]
    return [
        Route(
            GET,
            "/providers",
            "list_providers",
            "Lists the providers with slots, queue and health",
            reads(ListProvidersSettings),
            [table("Query")],
        ),
        Route(
            PUT,
            "/providers/{provider}",
            "update_provider",
            "Pauses a provider, or changes its slots",
            reads(UpdateProviderSettings),
            [table("DeleteItem", "GetItem", "Query", "UpdateItem"), *wakes_all],
        ),
        Route(
            POST,
            "/recordings/{recording_id}/cancel",
            "cancel_recording",
            "Ends what a recording still waits for",
            reads(CancelRecordingSettings),
            [table("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"), wakes],
        ),
    ]


def _authorizer(settings: StackSettings) -> apigateway.IHttpRouteAuthorizer:
    if settings.jwt_issuer and settings.jwt_audience:
        return authorizers.HttpJwtAuthorizer("Jwt", settings.jwt_issuer, jwt_audience=[settings.jwt_audience])
    return authorizers.HttpIamAuthorizer()


def _cors(settings: StackSettings) -> apigateway.CorsPreflightOptions | None:
    """What pages of other origins may do; None allows them nothing. No page sends cookies: the API knows none."""
    if not settings.cors_origins:
        return None
    return apigateway.CorsPreflightOptions(
        allow_origins=list(settings.cors_origins),
        allow_methods=list(CORS_METHODS),
        allow_headers=list(CORS_HEADERS),
        expose_headers=list(CORS_EXPOSED),
        max_age=cdk.Duration.hours(1),
    )
