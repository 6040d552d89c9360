"""What the setting `insightsModel` names: a model of Bedrock or an inference profile."""

import re
from dataclasses import dataclass
from typing import Self

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

    def models(self, partition: str) -> list[str]:
        """The ARNs of the models behind a profile. Which regions it calls changes without notice."""
        name = "*" if self.is_application else self.name.removeprefix(f"{self.geography}.")
        return [f"arn:{partition}:bedrock:{region}::foundation-model/{name}" for region in self._regions]

    @property
    def _regions(self) -> list[str]:
        """A global profile also calls models of no region."""
        return ["*", ""] if self.geography == _GLOBAL else ["*"]
