"""GET /recordings/{recording_id}/insights"""

from recording_insights.http.edge import HttpRequest, HttpResponse, TextResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.await_end import await_end
from recording_insights.recordings.exports.formats import EXPORT_PARAMETERS, JSON, export_insights, wanted_format
from recording_insights.recordings.insights_answer import read_insights
from recording_insights.settings import GetInsightsSettings
from wiring import Wiring

wiring = Wiring(GetInsightsSettings)


@http_route(function_logger("get-insights"), parameters=EXPORT_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: the transcript and the insights so far, with the status of the recording, or a file of them."""
    wanted = wanted_format(request.query, request.headers.get("accept", ""))
    await_end(request.recording_id, request.query, store=wiring.recordings, deadline=request.deadline)
    if wanted == JSON:
        answer = read_insights(request.recording_id, request.query, store=wiring.insights, read_words=wiring.read_words)
        return HttpResponse(answer)
    collection = wiring.insights.read(request.recording_id)
    export = export_insights(request.recording_id, collection, wanted, read_words=wiring.read_words)
    return TextResponse(export.text, headers=export.headers)
