"""One check of the table: its name, its rights, and what becomes of its failures."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)
from botocore.exceptions import ConnectionError as NotConnected

from operations.deployed_stack import OperationFailed
from operations.doctor.findings import Finding, Symptom, unknown
from operations.doctor.patient import Patient

Examination: TypeAlias = Callable[[Patient], Iterable[Symptom]]
_RIGHT = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
_REFUSALS = ("AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorized")
_CREDENTIALS = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "InvalidAccessKeyId", "TokenRefresh")
_NOT_SIGNED_IN = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError)


@dataclass(frozen=True)
class Check:
    """`rights` are the actions of IAM that the examination needs. One that `writes` puts something and deletes it."""

    name: str
    examination: Examination
    rights: Sequence[str] = ()
    writes: bool = False

    def findings(self, patient: Patient) -> Iterator[Finding]:
        """Yield what the examination finds. A failure ends it with a finding of its own, and raises nothing."""
        yield from map(self.named, in_spite_of_failures(self.examination, patient, self.rights))

    def named(self, symptom: Symptom) -> Finding:
        return Finding(self.name, symptom.state, symptom.what, symptom.mend)


def in_spite_of_failures(examination: Examination, patient: Patient, rights: Sequence[str]) -> Iterator[Symptom]:
    """Yield what an examination finds, and in place of an error that what it was after is unknown."""
    try:
        yield from examination(patient)
    except Exception as error:  # noqa: BLE001 - one examination must not hide the others
        yield _of_failure(error, rights)


def check(name: str, *rights: str, writes: bool = False) -> Callable[[Examination], Check]:
    """Make a check of a function that yields symptoms."""
    return lambda examination: Check(name, examination, rights, writes)


def _of_failure(error: Exception, rights: Sequence[str]) -> Symptom:
    """Return what is said of a check that failed. A text of AWS may hold what was signed, so it is not repeated."""
    if isinstance(error, ClientError):
        return _of_refusal(error, rights)
    if isinstance(error, OperationFailed):
        return unknown(str(error))
    if isinstance(error, _NOT_SIGNED_IN):
        return unknown("There are no credentials of AWS.", "Sign in to AWS, or set AWS_PROFILE.")
    if isinstance(error, HTTPClientError | NotConnected):
        return unknown(f"AWS did not answer ({type(error).__name__}).", "Look at the network, then examine again.")
    if isinstance(error, BotoCoreError):
        return unknown(f"The call to AWS failed ({type(error).__name__}).")
    if isinstance(error, OSError):
        return unknown(f"Nobody answered ({type(error).__name__}).", "Look at the network, then examine again.")
    return unknown(f"The check failed ({type(error).__name__}): this version does not understand what it got.")


def _of_refusal(error: ClientError, rights: Sequence[str]) -> Symptom:
    code, call = str(error.response["Error"].get("Code")), error.operation_name
    if any(part in code for part in _REFUSALS):
        said = _RIGHT.search(str(error.response["Error"].get("Message")))
        fitting = [each for each in rights if each.endswith(f":{call}")] or rights
        right = said[1] if said else " or ".join(fitting) or call
        return unknown(f"You may not call {call}.", f"Let somebody give you the right {right}.")
    if any(part in code for part in _CREDENTIALS):
        return unknown(f"AWS refuses your credentials ({code}).", "Sign in to AWS again.")
    return unknown(f"AWS refused {call} ({code}).")
