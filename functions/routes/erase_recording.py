"""DELETE /recordings/{recording_id}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.settings import EraseRecordingSettings
from recording_insights.upkeep.erase import erase_recording
from wiring import Wiring

wiring = Wiring(EraseRecordingSettings)


@http_route(function_logger("erase-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the receipt's id: the recording is being erased. A repeated call has the same answer."""
    erasing = erase_recording(
        request.recording_id, store=wiring.recordings, executions=wiring.erase_machine, who=request.who
    )
    return HttpResponse(erasing, 202)
