"""Every line that a function logs has the ids of what it works on, whoever logs it."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from recording_insights.logs import function_logger, ids_of, with_ids

EXECUTION = f"arn:aws:states:eu-central-1:1:execution:m:{'a' * 32}-talk-{'b' * 20}-2"
EVENT = {"recording_id": "a" * 32, "media_id": "b" * 20, "execution": EXECUTION}
IDS = {**EVENT, "execution": EXECUTION.rpartition(":")[2], "try": "2", "request_id": "q"}


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_of_the_function_and_of_libraries_name_the_ids_and_the_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    of_lambda = logging.StreamHandler(io.StringIO())  # it writes what libraries log
    monkeypatch.setattr(logging.getLogger(), "handlers", [of_lambda])
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "of-a-test")
    logger = function_logger("of-a-test")

    @with_ids(logger)
    def handler(event: dict[str, Any], context: Any) -> None:
        logger.info("its own")
        logging.getLogger("some.library").warning("a library's")

    handler(dict(EVENT), SimpleNamespace(aws_request_id="q"))
    logging.getLogger("some.library").warning("after it")

    [own] = documents(capsys.readouterr().out)
    library, after = documents(of_lambda.stream.getvalue())
    assert own["message"] == "its own"
    assert library["message"] == "a library's"
    assert own.items() >= IDS.items()
    assert library.items() >= IDS.items()
    assert not after.keys() & IDS.keys()


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        ({}, {}),
        ({"retry_id": "r"}, {"retry_id": "r"}),
        ({"recording_id": "x"}, {"recording_id": "x"}),
        ({**EVENT, "execution": f"{EXECUTION}-3"}, {**IDS, "execution": f"{IDS['execution']}-3"}),
        ({**EVENT, "execution": "arn:by-hand"}, {**EVENT, "execution": "by-hand"}),
    ],
    ids=["nothing", "a retry", "a watch", "a successor", "started by hand"],
)
def test_ids_are_those_that_the_input_of_a_state_has(event: Any, ids: Any) -> None:
    known = {name: value for name, value in ids_of(event).items() if value}
    assert known == {name: value for name, value in ids.items() if name != "request_id"}
