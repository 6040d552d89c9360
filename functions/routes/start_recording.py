"""POST /recordings"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.derivation import derivation_by
from recording_insights.recordings.read import public
from recording_insights.recordings.request import RecordingRequest
from recording_insights.recordings.start import start_recording
from recording_insights.settings import StartRecordingSettings
from wiring import Wiring

wiring = Wiring(StartRecordingSettings)


@http_route(function_logger("start-recording"))
def handler(request: HttpRequest) -> HttpResponse:
    """201 for a recording that this call started, 200 for one that had started before, 503 in a pause."""
    wiring.intake.check_open()
    wanted = RecordingRequest.from_body(
        request.json_object(),
        providers=wiring.settings.providers,
        default_provider=wiring.settings.provider,
        validate_options=validate_options,
        aws_region=wiring.aws_region,
        residency=wiring.settings.residency,
    )
    started = start_recording(
        wanted,
        store=wiring.recordings,
        agora=wiring.agora,
        deadline=request.deadline,
        watch=wiring.start_watch,
        idempotency_key=request.headers.get("idempotency-key"),
        caller=request.caller,
        derivation_of=derivation_by(wiring.settings.insights_model),
        who=request.who,
    )
    location = f"/recordings/{started.recording['recording_id']}"
    return HttpResponse(public(started.recording), 201 if started.new else 200, {"location": location})
