"""The rights to call a model of Bedrock, and to apply a guardrail. model_name.py reads names without the CDK."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.model_name import ModelName


def model_rights(scope: Construct, model: ModelName) -> list[iam.PolicyStatement]:
    """The rights to call this model alone. A profile calls models of several regions, and no other way may.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    stack = cdk.Stack.of(scope)
    if not model.is_profile:
        return [_invoke(model.arn or f"arn:{stack.partition}:bedrock:{stack.region}::foundation-model/{model.name}")]
    profile = model.arn or stack.format_arn(service="bedrock", resource="inference-profile", resource_name=model.name)
    conditions = {"StringEquals": {"bedrock:InferenceProfileArn": profile}}
    return [_invoke(profile), _invoke(*model.models(stack.partition), conditions=conditions)]


def guardrail_rights(scope: Construct, guardrail: str) -> iam.PolicyStatement:
    """The right to apply a guardrail, `id:version`."""
    arn = cdk.Stack.of(scope).format_arn(
        service="bedrock", resource="guardrail", resource_name=guardrail.partition(":")[0]
    )
    return iam.PolicyStatement(actions=["bedrock:ApplyGuardrail"], resources=[arn])


def _invoke(*resources: str, conditions: dict[str, dict[str, str]] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(resources), conditions=conditions)
