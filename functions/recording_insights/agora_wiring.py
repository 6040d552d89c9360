"""Build the Agora client of a stage: secrets, hosts and bucket from the settings."""

from collections.abc import Mapping

from recording_insights.agora.calls import AgoraCalls
from recording_insights.agora.client import SECRET_KEYS, AgoraClient
from recording_insights.agora.hosts import HostRotation, hosts_near
from recording_insights.agora.storage import RecordingsBucket
from recording_insights.agora.upload_credentials import SECRET as UPLOADER_SECRET
from recording_insights.agora.upload_credentials import SECRET_KEYS as UPLOADER_KEYS
from recording_insights.agora.upload_credentials import Uploader
from recording_insights.aws import clients
from recording_insights.aws.secrets import read_secret
from recording_insights.errors import UploadCredentialsUnavailable
from recording_insights.settings import FunctionSettings


def agora_client(settings: FunctionSettings, *, aws_region: str) -> AgoraClient:
    """Return the Agora client of a stage whose stack and recordings bucket are in `aws_region`."""
    base_url = settings.base_urls.get("agora")
    secret = settings.secret_name("agora")

    def credentials(fresh: bool) -> Mapping[str, str]:
        return read_secret(secret, SECRET_KEYS, fresh=fresh)

    hosts = HostRotation([base_url.rstrip("/")] if base_url else hosts_near(aws_region))
    return AgoraClient(AgoraCalls(credentials, hosts, secret_name=secret), uploader(settings, aws_region=aws_region))


def uploader(settings: FunctionSettings, *, aws_region: str) -> Uploader:
    """Return what makes the credentials for Agora's uploads to the recordings bucket of a stage."""
    secret = settings.secret_name(UPLOADER_SECRET)

    def key(fresh: bool) -> Mapping[str, str]:
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        try:
            return read_secret(secret, UPLOADER_KEYS, fresh=fresh)
        except GetParameterError:  # its text is AWS's, and may hold the string to sign
            raise UploadCredentialsUnavailable(f"AWS did not return the secret {secret}") from None

    return Uploader(key, RecordingsBucket(settings.recordings_bucket, aws_region), clients.sts)
