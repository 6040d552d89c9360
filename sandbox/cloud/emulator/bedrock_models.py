"""What a model id of Bedrock names: a foundation model or an inference profile, and the ARNs that IAM decides about.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

GLOBAL = "global"
UNSPECIFIED = "unspecified"
"""The requested region of a global profile's model, as the condition aws:RequestedRegion has it."""

_REGIONS: Mapping[str, Sequence[str]] = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "apac": (
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-4"),
    ),
}
"""The regions of each geography: source and destination alike. A model's own profile may have fewer."""
_SYSTEM_PROFILE = re.compile(rf"({'|'.join(_REGIONS)}|{GLOBAL})\.(.+\..+)")
_ARN = re.compile(r"arn:aws:bedrock:([a-z0-9-]*):([0-9]*):([a-z-]+)/(.+)")


@dataclass(frozen=True)
class ModelArn:
    """A foundation model in a region. `requested_region` is what IAM's conditions see."""

    arn: str
    requested_region: str


@dataclass(frozen=True)
class Target:
    """What a request's model id names.

    `arn` is the resource of bedrock:InvokeModel. A profile also needs that right on all of `models`, which are the
    model in each region of the profile. `foundation_model` is an id, "" if the id names nothing that is here.
    `geography` is the prefix of a system profile, "" for a foundation model.
    """

    arn: str
    foundation_model: str = ""
    geography: str = ""
    is_profile: bool = False
    models: Sequence[ModelArn] = field(default=())


CopiedFrom = Callable[[str], str | None]
"""The id of an application inference profile → the ARN of what it was made from, None if it does not exist."""


def target_of(model_id: str, region: str, account: str, copied_from: CopiedFrom) -> Target:
    """Return what a model id, or the ARN of one, names for a caller in this region."""
    if arn := _ARN.fullmatch(model_id):
        return _target_of_arn(model_id, arn, region, account, copied_from)
    if system := _SYSTEM_PROFILE.fullmatch(model_id):
        return _system_profile(system[1], system[2], region, account)
    return Target(_model_arn(region, model_id), model_id)


def _target_of_arn(model_id: str, arn: re.Match[str], region: str, account: str, copied_from: CopiedFrom) -> Target:
    of_region, of_account, kind, name = arn.groups()
    if of_region != region:
        return Target(model_id)
    if kind == "foundation-model" and not of_account:
        return Target(model_id, name)
    system = _SYSTEM_PROFILE.fullmatch(name)
    if kind == "inference-profile" and of_account == account and system:
        return _system_profile(system[1], system[2], region, account)
    if kind == "application-inference-profile" and of_account == account and (source := copied_from(name)):
        copied = target_of(source, region, account, lambda _: None)
        models = copied.models or (ModelArn(copied.arn, region),)
        return Target(model_id, copied.foundation_model, copied.geography, is_profile=True, models=models)
    return Target(model_id)


def _system_profile(geography: str, model: str, region: str, account: str) -> Target:
    arn = f"arn:aws:bedrock:{region}:{account}:inference-profile/{geography}.{model}"
    if geography == GLOBAL:
        models = [ModelArn(_model_arn(region, model), region), ModelArn(_model_arn("", model), UNSPECIFIED)]
    elif region in _REGIONS[geography]:
        models = [ModelArn(_model_arn(there, model), there) for there in _REGIONS[geography]]
    else:
        return Target(arn)
    return Target(arn, model, geography, is_profile=True, models=tuple(models))


def _model_arn(region: str, model: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"
