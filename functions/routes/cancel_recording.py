"""POST /recordings/{recording_id}/cancel"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.processing.cancel_recording import cancel_recording
from recording_insights.settings import CancelRecordingSettings
from wiring import Wiring

wiring = Wiring(CancelRecordingSettings)


@http_route(function_logger("cancel-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the recording; `media_counts` tells whether there was time to end all of its media objects."""
    cancelled = cancel_recording(
        request.recording_id,
        store=wiring.media,
        turns=wiring.turns,
        end_wait=wiring.end_wait,
        deadline=request.deadline,
        who=request.who,
    )
    return HttpResponse(cancelled)
