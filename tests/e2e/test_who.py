"""Who called: on the rows, in the log line of the function; and what the policies of docs/deploy.md let a caller do."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.openapi.operations import OPERATIONS
from infra.route_classes import class_of
from sandbox.cloud.local_stack import LocalStack
from tests.deployed import SLOW, STAYS, until
from tests.docs.pages import page

ACCOUNT = "000000000000"
NO_BODY = {"nothing": 1}
"""No route has this field."""
EXAMPLE = "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/"
"""How the ARNs of the page begin."""


def _any_id(route: str) -> str:
    """The route with the id `x`."""
    return re.sub(r"\{\w+\}", "x", route)


def policy_of(stack: LocalStack, *names: str) -> str:
    """The policies of docs/deploy.md as one, for the API of the stack."""
    [api] = [found["ApiId"] for found in stack.client("apigatewayv2").get_apis()["Items"]]
    texts = {fence.info[2]: fence.text for fence in page("docs/deploy.md").fences if fence.info[1:2] == ("policy",)}
    statements = [statement for name in names for statement in json.loads(texts[name])["Statement"]]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return text.replace(EXAMPLE, f"arn:aws:execute-api:{stack.region}:{ACCOUNT}:{api}/")


@contextmanager
def role(stack: LocalStack, *policies: str) -> Iterator[str]:
    """The name of a role that has these policies of the page."""
    iam, name = stack.client("iam"), f"caller-{uuid4().hex[:8]}"
    anyone = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="calls", PolicyDocument=policy_of(stack, *policies))
    try:
        yield name
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="calls")
        iam.delete_role(RoleName=name)


class Caller:
    """A session of a role that calls the API."""

    def __init__(self, stack: LocalStack, role: str, session: str) -> None:
        self.stack, self.arn = stack, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        given = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        self.credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        data = None if body is None else json.dumps(body)
        url = self.stack.api_url + path
        request = AWSRequest(method, url, headers={"content-type": "application/json", **headers}, data=data)
        SigV4Auth(self.credentials, "execute-api", self.stack.region).add_auth(request)
        return requests.request(method, url, headers=dict(request.headers), data=data, timeout=60)

    def status_of(self, method: str, path: str) -> int:
        """The status of a request with a body that no route takes."""
        return self.call(method, path, None if method == "GET" else NO_BODY).status_code


def lines_about(stack: LocalStack, recording_id: str, function: str) -> list[dict[str, Any]]:
    """What a function has logged about a recording."""
    logs = stack.client("logs")
    [group] = [
        found["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for found in page["logGroups"]
        if function in found["logGroupName"]
    ]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    events = [event for page in pages for event in page["events"]]
    return [json.loads(event["message"]) for event in events if f'"recording_id":"{recording_id}"' in event["message"]]


def test_the_rows_and_the_log_name_the_session_that_called(stack: LocalStack) -> None:
    stack.set_wait_scale(SLOW)
    stack.dials(agora=STAYS)
    with role(stack, "reader", "writer") as name:
        ann, ben = Caller(stack, name, "ann"), Caller(stack, name, "ben")
        started = ann.call("POST", "/recordings", {"channel": "who calls"})
        assert (started.status_code, started.json()["started_by"]) == (201, ann.arn)
        path = f"/recordings/{started.json()['recording_id']}"
        assert ben.call("POST", "/recordings", {"channel": "who calls"}).json()["started_by"] == ann.arn
        assert ben.call("PATCH", path, {"subscribe_audio_uids": [7]}).json()["changed_by"] == ben.arn
        assert ann.call("POST", f"{path}/stop").status_code == 202
        assert ben.call("POST", f"{path}/stop").status_code == 202
        named = ben.call("GET", path).json()
        assert [named[by] for by in ("started_by", "changed_by", "stopped_by")] == [ann.arn, ben.arn, ann.arn]
        read = ben.call("GET", f"{path}/insights", **{"user-agent": "an audit/1"})
        assert read.status_code == 200

    recording_id = path.rpartition("/")[2]
    line = until(lambda: next(iter(lines_about(stack, recording_id, "GetInsights")), None), "the line of the read")
    said = {"who": ben.arn, "source_ip": "127.0.0.1", "user_agent": "an audit/1", "method": "GET"}
    assert line.items() >= {**said, "path": f"{path}/insights", "status": 200}.items()


ROUTES = {operation.route: _any_id(operation.route) for operation in OPERATIONS}
"""Each route of the contract, and a request to it."""
POLICIES = {"reader": "read", "writer": "write", "operator": "operate", "erase": "erase"}
"""The policies of the page, and the class of routes that each one is for."""
CALL_MANY = {"reader", "operator"}
"""These allow so many routes that to call them all takes long."""


@pytest.mark.parametrize(
    "policy", [pytest.param(name, marks=pytest.mark.matrix) if name in CALL_MANY else name for name in POLICIES]
)
def test_a_policy_of_the_page_allows_the_routes_of_its_class_only(stack: LocalStack, policy: str) -> None:
    """What is allowed reaches the function, which refuses the id `x` and the body in its own way."""
    allowed = {route for route in ROUTES if class_of(route) == POLICIES[policy]}
    with role(stack, policy) as name:
        caller = Caller(stack, name, "caller")
        statuses = {route: caller.status_of(*request.split(" ")) for route, request in ROUTES.items()}
    assert {route for route, status in statuses.items() if status != 403} == allowed
    assert {statuses[route] for route in allowed} <= {200, 400, 404}


def test_the_policies_of_the_page_divide_all_routes() -> None:
    assert {class_of(route) for route in ROUTES} == set(POLICIES.values())
