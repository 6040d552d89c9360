"""Keep result: store a callback that is the only way to a result, before anything else can fail.

It needs neither the table nor the state machine, so that their faults cannot lose a result. The event of the stored
object leads to `receive_result_event`, which finds the job.
"""

from typing import Literal

from recording_insights.aws.reply_bucket import ReplyStore, kept_result_key
from recording_insights.errors import InvalidRequest
from recording_insights.providers.port import CallbackRequest, CallsBack

KeptOutcome = Literal["kept", "nothing to do"]
"""The effect of an authentic callback. "nothing to do": it does not announce the end of a job."""


def keep_result(provider: str, adapter: CallsBack, request: CallbackRequest, *, replies: ReplyStore) -> KeptOutcome:
    """Verify a callback and store its body.

    A body that is not usable is stored as well: it may hold a result that was paid for, and its event lets the row of
    the job say that it was refused.

    Raises:
        CallbackForged: the request does not prove that the vendor sent it; nothing was stored.
        InvalidRequest: the request is authentic, but its content is not usable.
    """
    key = kept_result_key(provider, request.body)
    try:
        if adapter.read_callback(request) is None:
            return "nothing to do"
    except InvalidRequest:
        replies.put(key, request.body)
        raise
    replies.put(key, request.body)
    return "kept"
