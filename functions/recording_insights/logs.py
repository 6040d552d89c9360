"""One form for all that a function logs, with the ids of what it works on in every line."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

Returned = TypeVar("Returned")
Handler = Callable[[dict[str, Any], Any], Returned]


def function_logger(service: str) -> Logger:
    """Return the logger of a function. On Lambda, what our modules and libraries log gets the same form and ids."""
    logger = Logger(service=service)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(logger.registered_formatter)
    return logger


@contextmanager
def ids_in_logs(logger: Logger, context: Any, **ids: Any) -> Iterator[None]:
    """Name the request, and the ids that are known, in every line that is logged meanwhile."""
    known = {name: value for name, value in ids.items() if value not in (None, "")}
    request_id = getattr(context, "aws_request_id", None)
    with logger.append_context_keys(**known, **({"request_id": request_id} if request_id else {})):
        yield


def with_ids(logger: Logger) -> Callable[[Handler[Returned]], Handler[Returned]]:
    """Make the handler of a state or an event name the ids of its event in every line: see `ids_of`."""

    def decorate(handle: Handler[Returned]) -> Handler[Returned]:
        @wraps(handle)
        def handler(event: dict[str, Any], context: Any) -> Returned:
            with ids_in_logs(logger, context, **ids_of(event)):
                return handle(event, context)

        return handler

    return decorate


def ids_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return recording, media object, number of the try, retry and execution, as far as the input of a state has them.

    The name of an execution ends in the media id and the number of the try.
    """
    ids = {name: event.get(name) for name in ("recording_id", "media_id", "retry_id")}
    execution = str(event.get("execution") or "").rpartition(":")[2]
    _, _, numbers = execution.partition(f"{ids['media_id']}-")
    return {**ids, "execution": execution, "try": numbers.partition("-")[0]}
