"""What the setting `insightsModel` names: a model of Bedrock or an inference profile, and the rights to call it."""

import re
from dataclasses import dataclass
from typing import Self

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

_NAME = r"[a-z0-9][a-z0-9.-]{1,62}[a-z0-9](:[0-9a-z]{1,8}){0,2}"
_ARN = r"arn:aws(-cn|-us-gov)?:bedrock:[a-z0-9-]{4,20}:([0-9]{12})?:[a-z-]{10,40}/[a-z0-9.:-]{1,100}"
MODEL = f"{_NAME}|{_ARN}"
"""The form of an id and of an ARN.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_RequestSyntax
"""
_SYSTEM = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.(.+\..+)")
"""Profiles of AWS, by geography.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
"""
_APPLICATION = ":application-inference-profile/"
_GLOBAL = "global"


@dataclass(frozen=True)
class ModelName:
    """A model, or a profile of AWS with its geography, or an application profile, which is known by its ARN only."""

    name: str
    geography: str = ""
    arn: str | None = None

    @classmethod
    def of(cls, setting: str) -> Self:
        """Read the setting, which has the form `MODEL`."""
        arn = setting if setting.startswith("arn:") else None
        name = setting.rpartition("/")[2]
        system = _SYSTEM.fullmatch(name)
        if arn and _APPLICATION in arn:
            return cls(name, arn=arn)
        return cls(name, system[1] if system else "", arn)

    @property
    def is_profile(self) -> bool:
        """Whether it calls models of several regions."""
        return bool(self.geography) or self.is_application

    @property
    def is_application(self) -> bool:
        """Whether it is an application profile."""
        return self.arn is not None and _APPLICATION in self.arn

    def rights(self, scope: Construct) -> list[iam.PolicyStatement]:
        """The rights to call this model alone. A profile calls models of several regions, and no other way may.

        Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
        """
        stack = cdk.Stack.of(scope)
        if not self.is_profile:
            return [_invoke(self.arn or self._model(stack, stack.region))]
        profile = self.arn or stack.format_arn(service="bedrock", resource="inference-profile", resource_name=self.name)
        conditions = {"StringEquals": {"bedrock:InferenceProfileArn": profile}}
        return [_invoke(profile), _invoke(*self.models(stack.partition), conditions=conditions)]

    def models(self, partition: str) -> list[str]:
        """The ARNs of the models behind a profile. Which regions it calls changes without notice."""
        name = "*" if self.is_application else self.name.removeprefix(f"{self.geography}.")
        return [f"arn:{partition}:bedrock:{region}::foundation-model/{name}" for region in self._regions]

    @property
    def _regions(self) -> list[str]:
        """A global profile also calls models of no region."""
        return ["*", ""] if self.geography == _GLOBAL else ["*"]

    def _model(self, stack: cdk.Stack, region: str) -> str:
        return f"arn:{stack.partition}:bedrock:{region}::foundation-model/{self.name}"


def _invoke(*resources: str, conditions: dict[str, dict[str, str]] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(resources), conditions=conditions)


def guardrail_rights(scope: Construct, guardrail: str) -> iam.PolicyStatement:
    """The right to apply a guardrail, `id:version`."""
    arn = cdk.Stack.of(scope).format_arn(
        service="bedrock", resource="guardrail", resource_name=guardrail.partition(":")[0]
    )
    return iam.PolicyStatement(actions=["bedrock:ApplyGuardrail"], resources=[arn])
