"""Make the patient of a deployed stage: its settings as they are deployed and in its file, and calls of its vendors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.stage_file import context_of
from operations.deployed_settings import deployed_settings
from operations.deployed_stack import Clients
from operations.doctor.patient import Answer, Patient
from operations.stage_settings import given_settings
from operations.vendor_access import Access, check_access, missing_keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class Ways:
    """How a stage is reached: clients of boto3, its table, its API as the operator, and HTTP without redirects."""

    client: Clients
    table_of: "Callable[[str], Table]"
    call_api: Callable[[str, str], Answer]
    http: Callable[[str, str], Answer]


def admit(stage: str, outputs: Mapping[str, str], region: str, ways: Ways, stages: Path) -> Patient:
    """Return a stage as the doctor examines it. `stages` is the folder of the files of stages.

    Raises:
        OperationFailed: the stage's file is wrong.
        ClientError: AWS refuses to show the template.
    """
    deployed = deployed_settings(stage, ways.client)
    file = given_settings(stage, [], stages).file
    settings = deployed.settings if deployed else {}

    def check(vendor: str, secret: Mapping[str, Any]) -> Access:
        return check_access(
            vendor,
            secret,
            base_url=settings.get(f"{vendor}BaseUrl"),
            residency=settings.get("residency"),
            aws_region=region,
            client=ways.client,
        )

    return Patient(
        stage=stage,
        outputs=outputs,
        client=ways.client,
        table_of=ways.table_of,
        call_api=ways.call_api,
        http=ways.http,
        check_access=check,
        missing_keys=missing_keys,
        now=lambda: datetime.now(UTC),
        settings=context_of(file.settings) if file else None,
        deployed=deployed.settings if deployed else None,
        version=_version(),
        deployed_version=deployed.version if deployed else None,
    )


def _version() -> str | None:
    try:
        return version("recording-insights")
    except PackageNotFoundError:
        return None
