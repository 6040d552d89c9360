"""Start a watch: an execution of the state machine that monitors a recorder."""

import json
from typing import TYPE_CHECKING

from recording_insights.errors import WatchUnavailable
from recording_insights.store.rows import RecordingRow
from recording_insights.watch.progress import Watch, execution_name, stop_execution_name

if TYPE_CHECKING:
    from recording_insights.media.executions import ExecutionStarter


def start_watch(recording: RecordingRow, *, start_execution: "ExecutionStarter") -> None:
    """Start the watch over a recording, unless an earlier try of the same call started it.

    Raises:
        WatchUnavailable: AWS did not start it.
    """
    _start(Watch.begin(recording), execution_name(recording), start_execution)


def start_stop_watch(recording: RecordingRow, *, start_execution: "ExecutionStarter") -> None:
    """Start the watch over a stop that found no recorder, unless there is one.

    The watch over the recording sleeps for up to 15 minutes. This one asks Agora after 100 s, stops a recorder that is
    back, and ends.

    Raises:
        WatchUnavailable: AWS did not start it.
    """
    _start(Watch.begin_stop(recording), stop_execution_name(recording), start_execution)


def _start(watch: Watch, name: str, start_execution: "ExecutionStarter") -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        start_execution(name=name, state=json.dumps(watch.to_state()))
    except (ClientError, BotoCoreError) as error:
        raise WatchUnavailable(f"the watch over the recording was not started ({type(error).__name__})") from error
