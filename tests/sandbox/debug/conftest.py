"""A local stack that is up, whose AWS is a fake."""

import pytest

from sandbox.cloud import local_stack
from sandbox.cloud.local_stack import LocalStack
from tests.sandbox.debug.fake_aws import FakeAws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    aws = FakeAws()
    monkeypatch.setattr(local_stack, "client", lambda _, **__: aws)
    return aws


@pytest.fixture
def stack(aws: FakeAws) -> LocalStack:
    return LocalStack("http://localhost:1", "us-east-1", "AKIA0", "secret", "", "", {}, {}, ())
