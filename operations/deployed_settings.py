"""Read the settings and the version that a stage was deployed with: the metadata of its template has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.stack_metadata import KEY, read_settings_of
from operations.deployed_stack import Clients, not_deployed, stack_name

RIGHT = "cloudformation:GetTemplate"


@dataclass(frozen=True)
class DeployedSettings:
    """The version of the project, and the settings that were given: texts by key, as `context_of` returns them."""

    version: str
    settings: Mapping[str, str]


def deployed_settings(stage: str, client: Clients) -> DeployedSettings | None:
    """Return what a stage was deployed with; None if a version deployed it that did not note it.

    Raises:
        OperationFailed: the stage is not deployed.
        ClientError: AWS refuses the call, which needs `RIGHT`.
    """
    try:
        answer = client("cloudformation").get_template(StackName=stack_name(stage), TemplateStage="Original")
    except ClientError as error:
        if "does not exist" not in str(error.response["Error"].get("Message")):
            raise
        raise not_deployed(stage, client) from None
    template = answer["TemplateBody"]  # boto3 has parsed it, if it is JSON
    metadata = template.get("Metadata", {}).get(KEY) if isinstance(template, Mapping) else None
    return DeployedSettings(metadata["version"], read_settings_of(metadata)) if metadata else None
