"""A Lambda function in Python: the shared zip, its own role with exactly the actions given, its own log group."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.bundling.packages import RUNTIME, SHARED_WHEELS, package
from infra.log_group import log_group
from infra.settings import StackSettings


class PythonFunction(Construct):
    """One file of functions/ as a Lambda function.

    `statements` are all that its role may do beside writing its own log. `dead_letters` takes the events of an
    asynchronous caller that failed three times. `code` stands in for the shared zip, `scratch` is how much /tmp
    holds, 512 MB if it is not said.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StackSettings,
        module: str,
        description: str,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        timeout: cdk.Duration,
        memory_mb: int = 512,
        dead_letters: sqs.IQueue | None = None,
        code: lambda_.Code | None = None,
        scratch: cdk.Size | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.timeout = timeout
        self.log_group = log_group(self, "Log", settings)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {module.rpartition('.')[2]} may do",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{module}.handler",
            code=code or package(SHARED_WHEELS),
            description=description,
            environment={**environment, "POWERTOOLS_SERVICE_NAME": module, "POWERTOOLS_LOG_LEVEL": "INFO"},
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            timeout=timeout,
            memory_size=memory_mb,
            ephemeral_storage_size=scratch,
            dead_letter_queue=dead_letters,
            retry_attempts=2 if dead_letters else None,
        )
        write_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
        )
        send = [
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])
            for queue in (dead_letters,)
            if queue
        ]
        self.policy = iam.Policy(self, "Policy", statements=[write_log, *send, *statements])
        self.policy.attach_to_role(self.role)
        self.function.node.add_dependency(self.policy)
