"""The clock of this machine, beside that of AWS."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.patient import Patient

MOST_SECONDS = 60
"""AWS refuses signatures that are five minutes off: https://docs.aws.amazon.com/general/latest/gr/sigv4_troubleshooting.html"""


@check("clock")
def clock(patient: Patient) -> Iterator[Symptom]:
    """The machine's clock is right. AWS says its own time with every answer, and with every refusal too."""
    try:
        answer = patient.aws("sts").get_caller_identity()
    except ClientError as error:
        answer = error.response
    stated = _date(answer)
    if stated is None:
        yield unknown("AWS did not say its time.")
        return
    ahead = round((patient.now() - stated).total_seconds())
    if abs(ahead) > MOST_SECONDS:
        how = "ahead of" if ahead > 0 else "behind"
        yield wrong(
            f"The clock of this machine is {abs(ahead)} s {how} that of AWS. "
            "From 300 s on, AWS refuses signatures and links.",
            "Set the clock of this machine from a time server.",
        )
    else:
        yield ok("The clock of this machine agrees with that of AWS.")


def _date(answer: Mapping[str, Any]) -> datetime | None:
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
