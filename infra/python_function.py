"""A Lambda function in Python with its own role, which allows exactly the given actions, and its own log group."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.bundling.packages import RUNTIME, shared_code
from infra.customer_key import key_rights
from infra.function_environment import function_environment
from infra.log_group import log_group
from infra.settings import StackSettings
from recording_insights.settings import FunctionSettings


def function_role(scope: Construct, construct_id: str, name: str) -> iam.Role:
    """The role of a function, still without rights."""
    principal = iam.ServicePrincipal("lambda.amazonaws.com")
    return iam.Role(scope, construct_id, assumed_by=principal, description=f"What {name} may do")


class PythonFunction(Construct):
    """One handler file of functions/ as a Lambda function.

    `reads` are the settings that the handler reads: they become its environment. `statements` are all rights of its
    role, except the right to write its own log and those that follow on the customer's key. `dead_letters` gets the
    events of an asynchronous caller that failed three times. `code` replaces the shared zip. `scratch` is the size of
    /tmp, 512 MB by default. `reserved` workers are kept for the function, and it has no more; None reserves nothing.
    `role` is a `function_role`, where another part of the stack has to name it before there is a function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StackSettings,
        module: str,
        description: str,
        reads: FunctionSettings,
        statements: Sequence[iam.PolicyStatement],
        timeout: cdk.Duration,
        memory_mb: int = 512,
        dead_letters: sqs.IQueue | None = None,
        code: lambda_.Code | None = None,
        scratch: cdk.Size | None = None,
        reserved: int | None = None,
        role: iam.Role | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.timeout = timeout
        self.log_group = log_group(self, "Log", settings)
        name = module.rpartition(".")[2]
        self.role = role or function_role(self, "Role", name)
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{module}.handler",
            code=code or shared_code(settings),
            description=description,
            environment=function_environment(name, reads, stage=settings.stage),
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            timeout=timeout,
            memory_size=memory_mb,
            ephemeral_storage_size=scratch,
            reserved_concurrent_executions=reserved,
            dead_letter_queue=dead_letters,
            retry_attempts=2 if dead_letters else None,
        )
        self.policy = self._policy(settings, statements, dead_letters)
        self.function.node.add_dependency(self.policy)

    def _policy(
        self,
        settings: StackSettings,
        statements: Sequence[iam.PolicyStatement],
        dead_letters: sqs.IQueue | None,
    ) -> iam.Policy:
        own = [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
            )
        ]
        if dead_letters:
            own.append(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]))
        rights = [*own, *statements]
        policy = iam.Policy(self, "Policy", statements=[*rights, *key_rights(self, settings, rights)])
        policy.attach_to_role(self.role)
        return policy
