"""Make the temporary credentials that Agora writes one recording with.

They are STS federation tokens, because no others live long enough for Agora. The key that signs them belongs to an IAM
user that may put objects into the folders of recordings. A session policy limits them to the folder of one recording.
Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_insights.agora.storage import RecordingsBucket, UploadCredentials
from recording_insights.deadline import Deadline
from recording_insights.errors import SecretUnusable, UploadCredentialsUnavailable, UploadKeyRefused

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SECRET = "agora-uploader"  # noqa: S105 - a name
SECRET_KEYS = ("accessKeyId", "secretAccessKey")
"""The keys of the secret `recording-insights/<stage>/agora-uploader`, which `make agora-key` makes and rotates."""
REMEDY = "`make agora-key STAGE=…` makes a new one"

LIFETIME_SECONDS = 36 * 3600
"""The longest lifetime that AWS allows for an IAM user; Agora requires four hours or more."""
LONGEST_NAME = 32
"""The longest name of a federated user in AWS."""

LONGEST_TRY_SECONDS = 5.0
"""The sum of the STS client's time-outs for connecting and reading. With less time left, no call is made."""
PAUSE_SECONDS = 0.5

ReadUploaderKey = Callable[[bool], Mapping[str, str]]
"""Reads the key of the IAM user, see `SECRET_KEYS`; True reads past every cache."""
MakeStsClient = Callable[[str, str], "STSClient"]
"""Makes a client from access key id and secret access key. The client must not repeat calls by itself."""


@dataclass(frozen=True)
class Uploader:
    """Makes credentials with the key of the IAM user in whose name Agora writes to the bucket.

    `kms_key_arn` is the customer's key that encrypts the bucket; None if a key of S3 does.
    """

    key: ReadUploaderKey
    bucket: RecordingsBucket
    sts: MakeStsClient
    kms_key_arn: str | None = None

    def storage_config(self, folder: Sequence[str], deadline: Deadline) -> dict[str, Any]:
        """Return Agora's `storageConfig` with new credentials for one folder; raises as `credentials_for` does."""
        return self.bucket.storage_config(self.credentials_for(folder, deadline), folder)

    def credentials_for(self, folder: Sequence[str], deadline: Deadline) -> UploadCredentials:
        """Make credentials to write under one folder of the bucket; the folder's last part is the recording's id.

        If AWS refuses the key, it is read again once: it may have been rotated since it was cached.

        Raises:
            SecretUnusable: there is no usable key.
            UploadKeyRefused: AWS refuses the key, also after a fresh read, or its user has no permission.
            UploadCredentialsUnavailable: AWS gave no usable answer within the deadline, or did not return the secret.
        """
        request = {
            "Name": folder[-1][:LONGEST_NAME],
            "Policy": write_policy(self.bucket.arn_of(folder), self.kms_key_arn),
            "DurationSeconds": LIFETIME_SECONDS,
        }
        try:
            return self._federate(self._read_key(fresh=False), request, deadline)
        except UploadKeyRefused:
            return self._federate(self._read_key(fresh=True), request, deadline)

    def _read_key(self, *, fresh: bool) -> Mapping[str, str]:
        try:
            return self.key(fresh)
        except SecretUnusable as error:
            raise SecretUnusable(error.name, f"{error.detail}; {REMEDY}") from None

    def _federate(self, key: Mapping[str, str], request: Mapping[str, Any], deadline: Deadline) -> UploadCredentials:
        """Call STS, and once more after a fault that may pass."""
        sts = self.sts(*(key[name] for name in SECRET_KEYS))
        repeated = False
        while True:
            if deadline.seconds_left < LONGEST_TRY_SECONDS:
                raise UploadCredentialsUnavailable("no time was left to call AWS for the upload's credentials")
            try:
                return _federation_token(sts, request)
            except UploadCredentialsUnavailable:
                if repeated or not deadline.pause(PAUSE_SECONDS, reserve=LONGEST_TRY_SECONDS):
                    raise
                repeated = True


def write_policy(folder_arn: str, kms_key_arn: str | None = None) -> str:
    """Return the session policy as JSON: it only allows to put objects into one folder, given by its ARN.

    A `*` stands for slashes too, so folders within the folder are denied: Agora writes no such folder.

    S3 encrypts the objects with the customer's key, if there is one, with the rights of the token. To join the parts
    of a large upload it decrypts them. The policy of the user allows both through S3 only.
    """
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{folder_arn}/*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"{folder_arn}/*/*"},
    ]
    if kms_key_arn:
        actions = ["kms:GenerateDataKey", "kms:Decrypt"]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": kms_key_arn})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _federation_token(sts: "STSClient", request: Mapping[str, Any]) -> UploadCredentials:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        given = sts.get_federation_token(**request)["Credentials"]
        return UploadCredentials(
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            expires_at=int(given["Expiration"].timestamp()),
        )
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code") or "no code")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # AWS's message is left out: that of a wrong signature holds the string to sign.
        if not 400 <= status < 500 or code.startswith("Throttl"):
            raise UploadCredentialsUnavailable(f"AWS gave no credentials for the upload ({code})") from None
        raise UploadKeyRefused(_why_refused(code)) from None
    except (BotoCoreError, ResponseParserError, LookupError, AttributeError, TypeError, ValueError) as error:
        # The text of such an error may hold the request's headers; the class name is enough.
        raise UploadCredentialsUnavailable(
            f"AWS could not be called for the upload's credentials ({type(error).__name__})"
        ) from None


def _why_refused(code: str) -> str:
    if "AccessDenied" in code:
        return f"the user of the uploads may not call sts:GetFederationToken ({code}); deploy the stack again"
    return f"AWS refused the key that signs the credentials for uploads ({code}); {REMEDY}"
