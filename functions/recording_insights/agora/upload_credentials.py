"""The credentials that Agora writes one recording with: temporary, and good for nothing but that.

They are STS federation tokens, the only ones that live long enough for Agora: signed with the key of an IAM user
that may put objects under the recordings prefix, and narrowed to the folder of one recording by a session policy.
Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from recording_insights.agora.storage import RecordingsBucket, UploadCredentials
from recording_insights.aws import clients
from recording_insights.aws.secrets import read_secret
from recording_insights.deadline import Deadline
from recording_insights.errors import SecretUnusable, UploadCredentialsUnavailable, UploadKeyRefused
from recording_insights.settings import AgoraSettings

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SECRET = "agora-uploader"  # noqa: S105 - a name
SECRET_KEYS = ("accessKeyId", "secretAccessKey")
"""Of the secret `recording-insights/<stage>/agora-uploader`, which `make agora-key` makes and rotates."""
REMEDY = "`make agora-key STAGE=…` makes a new one"

LIFETIME_SECONDS = 36 * 3600
"""The most that AWS gives an IAM user: nobody knows how long a recorder stays. Agora wants four hours at least."""
LONGEST_NAME = 32

LONGEST_TRY_SECONDS = 5.0
"""Connecting and reading, see `clients.sts`; with less time left, AWS is not asked."""
PAUSE_SECONDS = 0.5

UploaderKey = Callable[[bool], Mapping[str, str]]
"""True asks for a fresh copy of the user's key, after a refusal."""
StsOfKey = Callable[[str, str], "STSClient"]
"""(access key id, secret access key) → a client that signs with them and does not repeat by itself."""


@dataclass(frozen=True)
class Uploader:
    """The IAM user in whose name Agora writes to the bucket."""

    key: UploaderKey
    bucket: RecordingsBucket
    sts: StsOfKey

    @classmethod
    def from_settings(cls, settings: AgoraSettings, *, aws_region: str) -> Self:
        """The user of a stage, wired to its secret; the bucket lies in `aws_region`."""
        secret = settings.secret_name(SECRET)

        def key(fresh: bool) -> Mapping[str, str]:
            from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

            try:
                return read_secret(secret, SECRET_KEYS, fresh=fresh)
            except GetParameterError:  # its text is AWS's, see `_federation_token`
                raise UploadCredentialsUnavailable(f"AWS did not hand out the secret {secret}") from None

        return cls(key, RecordingsBucket(settings.recordings_bucket, aws_region), clients.sts)

    def storage_config(self, folder: Sequence[str], deadline: Deadline) -> dict[str, Any]:
        """Agora's `storageConfig` with new credentials for one folder; raises as `credentials_for`."""
        return self.bucket.storage_config(self.credentials_for(folder, deadline), folder)

    def credentials_for(self, folder: Sequence[str], deadline: Deadline) -> UploadCredentials:
        """New credentials to write under one folder of the bucket; the folder's last part is the recording's id.

        A key that AWS refuses is read again once: it may have been rotated since it was read.

        Raises:
            SecretUnusable: there is no key.
            UploadKeyRefused: AWS refuses the key, also a fresh copy of it, or does not let its user do this.
            UploadCredentialsUnavailable: no usable answer within the deadline, or the key is not handed out.
        """
        request = {
            "Name": folder[-1][:LONGEST_NAME],
            "Policy": write_policy(self.bucket.arn_of(folder)),
            "DurationSeconds": LIFETIME_SECONDS,
        }
        try:
            return self._ask(self._read_key(fresh=False), request, deadline)
        except UploadKeyRefused:
            return self._ask(self._read_key(fresh=True), request, deadline)

    def _read_key(self, *, fresh: bool) -> Mapping[str, str]:
        try:
            return self.key(fresh)
        except SecretUnusable as error:
            raise SecretUnusable(error.name, f"{error.detail}; {REMEDY}") from None

    def _ask(self, key: Mapping[str, str], request: Mapping[str, Any], deadline: Deadline) -> UploadCredentials:
        sts = self.sts(*(key[name] for name in SECRET_KEYS))
        last = False
        while True:
            if deadline.seconds_left < LONGEST_TRY_SECONDS:
                raise UploadCredentialsUnavailable("no time was left to ask AWS for the upload's credentials")
            try:
                return _federation_token(sts, request)
            except UploadCredentialsUnavailable:
                if last or not deadline.pause(PAUSE_SECONDS, reserve=LONGEST_TRY_SECONDS):
                    raise
                last = True


def write_policy(folder_arn: str) -> str:
    """The session policy, JSON: put objects under one folder of a bucket, given by its ARN, and nothing else."""
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{folder_arn}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


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
        # Without AWS's message: that of a wrong signature holds the string to sign.
        if not 400 <= status < 500 or code.startswith("Throttl"):
            raise UploadCredentialsUnavailable(f"AWS gave no credentials for the upload ({code})") from None
        raise UploadKeyRefused(
            f"AWS refused the key that signs the credentials for uploads ({code}); {REMEDY}"
            if "AccessDenied" not in code
            else f"the user of the uploads may not call sts:GetFederationToken ({code}); deploy the stack again"
        ) from None
    except (BotoCoreError, ResponseParserError, LookupError, AttributeError, TypeError, ValueError) as error:
        # The text of such errors may hold the request's headers; the class says what happened.
        raise UploadCredentialsUnavailable(
            f"AWS could not be asked for the upload's credentials ({type(error).__name__})"
        ) from None
