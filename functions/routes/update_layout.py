"""PUT /recordings/{recording_id}/layout"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.change import update_layout
from recording_insights.recordings.read import public
from recording_insights.settings import UpdateLayoutSettings
from wiring import Wiring

wiring = Wiring(UpdateLayoutSettings)


@http_route(function_logger("update-layout"))
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the recording, after Agora accepted the layout."""
    recording = update_layout(
        request.recording_id,
        request.json_object(),
        store=wiring.recordings,
        agora=wiring.agora,
        deadline=request.deadline,
        who=request.who,
    )
    return HttpResponse(public(recording))
