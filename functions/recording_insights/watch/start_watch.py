"""Start the watch over a recording: one execution of the state machine that monitors the recorder."""

import json
from typing import TYPE_CHECKING

from recording_insights.errors import WatchUnavailable
from recording_insights.store.rows import RecordingRow
from recording_insights.watch.progress import Watch, execution_name

if TYPE_CHECKING:
    from recording_insights.media.intake import ExecutionStarter


def start_watch(recording: RecordingRow, *, start_execution: "ExecutionStarter") -> None:
    """Start the watch, unless an earlier try of the same call started it.

    Raises:
        WatchUnavailable: AWS did not start it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    state = json.dumps(Watch.begin(recording).to_state())
    try:
        start_execution(name=execution_name(recording), state=state)
    except (ClientError, BotoCoreError) as error:
        raise WatchUnavailable(f"the watch over the recording was not started ({type(error).__name__})") from error
