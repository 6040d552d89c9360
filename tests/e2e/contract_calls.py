"""Hooks of schemathesis: signed requests to a deployed stack. Run by `st` itself, see `test_contract`."""

import os

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import PreparedRequest
from requests.auth import AuthBase


class Signature(AuthBase):
    """Signs a request as it is sent."""

    def __init__(self, access_key_id: str, secret_access_key: str, region: str) -> None:
        self.signer = SigV4Auth(Credentials(access_key_id, secret_access_key), "execute-api", region)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers of the signature."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        signed = AWSRequest(request.method, request.url, data=body)
        self.signer.add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


schemathesis.auth.set_from_requests(  # type: ignore[attr-defined]
    Signature(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_REGION"])
)
