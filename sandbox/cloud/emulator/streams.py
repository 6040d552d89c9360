"""Corrections of the streams of tables, and of the mappings that read them.

ministack removes items that have expired without a word to the stream. A mapping reads a stream whatever the role of
its function allows, and on the thread that also takes the messages of all queues. After a stop and a start the streams
are empty, but the mappings go on at the places of before, so that they read nothing for long.
"""

import contextvars
import copy
import logging
import threading
from collections.abc import Mapping
from functools import wraps
from typing import Any

from sandbox.cloud.emulator.internals import require_parameters, require_source
from sandbox.cloud.emulator.rights import role_allows

_log = logging.getLogger(__name__)
_REAPER = "dynamodb-ttl-reaper"
_READS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
_SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""The identity of a deletion because of age, as Lambda passes it. The API writes its names with capitals.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""


def tell_streams_what_expires() -> None:
    """Write a record into the stream of a table when an item is removed because it has expired.

    Raises:
        RuntimeError: the installed ministack removes expired items in another way.
    """
    from ministack.core.responses import set_request_account_id, set_request_region  # type: ignore[import-untyped]
    from ministack.services import dynamodb  # type: ignore[import-untyped]

    require_parameters(dynamodb._remove_item, "table", "pk_val", "sk_val")
    require_source(dynamodb._remove_item, "return old_item")
    require_source(dynamodb._ttl_reaper, "_remove_item(table, pk_val, sk_val)", "with _lock:")
    require_parameters(dynamodb._emit_stream_event, "table_name", "event_name", "old_item", "new_item")
    require_source(dynamodb._build_change_record, '"eventSource": "aws:dynamodb"')
    remove, build = dynamodb._remove_item, dynamodb._build_change_record

    def is_reaping() -> bool:
        return threading.current_thread().name == _REAPER

    @wraps(remove)
    def remove_and_tell(table: Mapping[str, Any], partition: str, sort: str) -> Any:
        old = remove(table, partition, sort)
        if old is not None and is_reaping():
            _, _, _, region, account, _ = table["TableArn"].split(":", 5)
            # The reaper belongs to no request.
            set_request_account_id(account)
            set_request_region(region)
            dynamodb._emit_stream_event(table["TableName"], "REMOVE", old, None)
        return old

    @wraps(build)
    def build_with_identity(*given: Any, **named: Any) -> Any:
        record = build(*given, **named)
        if not is_reaping():
            return record
        of_the_api = {name[0].upper() + name[1:]: value for name, value in _SERVICE.items()}
        return {**record, "userIdentity": {**_SERVICE, **of_the_api}}

    dynamodb._remove_item, dynamodb._build_change_record = remove_and_tell, build_with_identity


def keep_streams_over_restarts() -> None:
    """Save the streams when ministack stops, and have them again when it starts.

    Raises:
        RuntimeError: the installed ministack keeps streams, or its state, in another way.
    """
    from ministack.services import dynamodb

    require_source(dynamodb.get_state, '"ttl_settings": copy.deepcopy(_ttl_settings)')
    require_source(dynamodb.load_persisted_state, "_restore_state(data)")
    require_source(dynamodb._live_stream_records, "_stream_records.get(table_name)")
    require_source(dynamodb._trimmed_count, "_stream_trimmed.get(table_name, 0)")
    require_source(dynamodb._next_stream_seq, "_stream_seq_counter")
    get, load = dynamodb.get_state, dynamodb.load_persisted_state

    @wraps(get)
    def get_with_streams() -> Any:
        return {
            **get(),
            "stream_records": copy.deepcopy(dynamodb._stream_records),
            "stream_trimmed": copy.deepcopy(dynamodb._stream_trimmed),
            "stream_number": dynamodb._stream_seq_counter,
        }

    @wraps(load)
    def load_with_streams(state: Mapping[str, Any] | None) -> None:
        load(state)
        state = state or {}
        dynamodb._stream_records.update(state.get("stream_records", {}))
        dynamodb._stream_trimmed.update(state.get("stream_trimmed", {}))
        dynamodb._stream_seq_counter = state.get("stream_number", 0)

    dynamodb.get_state, dynamodb.load_persisted_state = get_with_streams, load_with_streams


def read_streams_as_allowed() -> None:
    """Let a mapping read a stream, and report a batch that it gives up, only if the role of its function allows it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html and
    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-create-package.html

    Raises:
        RuntimeError: the installed ministack reads streams in another way.
    """
    from ministack.services import lambda_svc

    require_source(
        lambda_svc._poll_dynamodb_streams,
        "batch = _apply_filter_criteria(batch, esm)",
        "_execute_function(func_rec, event)",
        'esm["LastProcessingResult"] = "FAILED"',
    )
    require_parameters(lambda_svc._apply_filter_criteria, "records", "esm")
    require_source(lambda_svc._iter_all_esms, "_esms")
    require_parameters(lambda_svc._send_ddb_stream_failure_record, "esm", "func_rec", "batch")
    each, give_up = lambda_svc._iter_all_esms, lambda_svc._send_ddb_stream_failure_record

    def may_read(mapping: Mapping[str, Any]) -> bool:
        source = mapping.get("EventSourceArn", "")
        function = lambda_svc._functions.get(mapping.get("FunctionName", ""))
        if function is None or source.split(":")[2:3] != ["dynamodb"]:
            return True
        role, streams = function["config"]["Role"], f"{source.rpartition('/')[0]}/*"
        asked = [*((action, source) for action in _READS), ("dynamodb:ListStreams", streams)]
        missing = [action for action, resource in asked if not role_allows(role, action, resource)]
        if missing:
            _log.warning("The role %s may not perform %s on %s: nothing is read", role, ", ".join(missing), source)
        return not missing

    @wraps(each)
    def each_that_may_read() -> Any:
        # `_iter_all_esms` also serves queues and streams of Kinesis, which pass.
        for account, region, mapping in each():
            tokens = lambda_svc._request_account_id.set(account), lambda_svc._request_region.set(region)
            try:
                is_allowed = may_read(mapping)
            finally:
                lambda_svc._request_account_id.reset(tokens[0])
                lambda_svc._request_region.reset(tokens[1])
            if is_allowed:
                yield account, region, mapping

    @wraps(give_up)
    def give_up_as_allowed(mapping: Mapping[str, Any], function: Mapping[str, Any], *rest: Any) -> None:
        role = (function.get("config") or function)["Role"]
        to = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        if not to.startswith("arn:aws:sqs:") or role_allows(role, "sqs:SendMessage", to):
            give_up(mapping, function, *rest)
        else:
            _log.warning("The role %s may not send to %s: nothing keeps what the mapping gives up", role, to)

    lambda_svc._iter_all_esms = each_that_may_read
    lambda_svc._send_ddb_stream_failure_record = give_up_as_allowed


def read_streams_apart() -> None:
    """Read streams on a thread of their own: the function of a stream keeps no queue waiting. One batch is at work.

    Raises:
        RuntimeError: the installed ministack reads streams in another way.
    """
    from ministack.services import lambda_svc

    require_parameters(lambda_svc._poll_dynamodb_streams)
    require_source(lambda_svc._poll_dynamodb_streams, "return processed_any")
    read, is_reading = lambda_svc._poll_dynamodb_streams, threading.Lock()

    def read_all() -> None:
        try:
            while read():
                pass
        except Exception:  # noqa: BLE001
            _log.exception("a stream could not be read")
        finally:
            is_reading.release()

    @wraps(read)
    def begin_to_read() -> bool:
        if is_reading.acquire(blocking=False):
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(read_all,), name="streams", daemon=True).start()
        return False  # the poller has nothing to go on with

    lambda_svc._poll_dynamodb_streams = begin_to_read
