"""POST /recordings/{recording_id}/retry"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.derivation import derivation_by
from recording_insights.retries.request import RetryRequest
from recording_insights.retries.retry_recording import retry_recording
from recording_insights.settings import RetryRecordingSettings
from wiring import Wiring

wiring = Wiring(RetryRecordingSettings)


@http_route(function_logger("retry-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the media objects whose new try began. The body may be empty."""
    body = request.json_object() if request.body else {}
    retried = retry_recording(
        request.recording_id,
        RetryRequest.from_body(body, providers=wiring.settings.providers),
        store=wiring.media,
        executions=wiring.workflow,
        deadline=request.deadline,
        derivation_of=derivation_by(wiring.settings.insights_model),
        who=request.who,
    )
    return HttpResponse(retried, 202)
