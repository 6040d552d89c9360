"""PATCH /recordings/{recording_id}/transcript"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.corrections import LARGEST_BODY, correct_transcript
from recording_insights.recordings.read import public
from recording_insights.settings import CorrectTranscriptSettings
from wiring import Wiring

wiring = Wiring(CorrectTranscriptSettings)


@http_route(function_logger("correct-transcript"), largest_body=LARGEST_BODY)
def handler(request: HttpRequest) -> HttpResponse:
    """200 and the recording, whose lines are corrected."""
    recording = correct_transcript(
        request.recording_id,
        request.json_object(),
        recordings=wiring.recordings,
        insights=wiring.insights,
        who=request.who,
    )
    return HttpResponse(public(recording))
