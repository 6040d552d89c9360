"""POST /retries"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.retries.request import RetriesRequest
from recording_insights.retries.retry_many import retry_many
from recording_insights.settings import RetryManySettings
from wiring import Wiring

wiring = Wiring(RetryManySettings)


@http_route(function_logger("retry-many"))
def handler(request: HttpRequest) -> HttpResponse:
    """202 and the retry, or 200 and the counts of a dry run."""
    wanted = RetriesRequest.from_body(request.json_object(), providers=wiring.settings.providers)
    answer = retry_many(
        wanted,
        store=wiring.media,
        retries=wiring.retries,
        machine=wiring.retry_machine,
        deadline=request.deadline,
        who=request.who,
    )
    return HttpResponse(answer, 200 if wanted.dry_run else 202)
