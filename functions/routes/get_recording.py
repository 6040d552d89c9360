"""GET /recordings/{recording_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.read import READ_PARAMETERS, describe_recording
from recording_insights.settings import GetRecordingSettings
from wiring import Wiring

wiring = Wiring(GetRecordingSettings)


@http_route(function_logger("get-recording"), parameters=READ_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: the recording, its media objects, and what Agora last said of the recorder."""
    recording = describe_recording(
        request.recording_id,
        request.query,
        store=wiring.recordings,
        agora=lambda: wiring.agora,
        deadline=request.deadline,
        queue_of=wiring.queue_of,
    )
    return HttpResponse(recording)
