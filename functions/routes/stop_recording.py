"""POST /recordings/{recording_id}/stop"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.stop import stop_recording
from recording_insights.settings import StopRecordingSettings
from wiring import Wiring

wiring = Wiring(StopRecordingSettings)


@http_route(function_logger("stop-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the status, even if the recorder has stopped already."""
    recording = stop_recording(
        request.recording_id,
        store=wiring.recordings,
        agora=wiring.agora,
        deadline=request.deadline,
        watch_stop=wiring.start_stop_watch,
        who=request.who,
    )
    shown = ("recording_id", "status", "stage", "reason_code", "reason")
    content = {name: value for name, value in recording.items() if name in shown}
    return HttpResponse(content, 202)
