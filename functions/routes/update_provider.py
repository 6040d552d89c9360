"""PUT /providers/{provider}"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.processing.providers import change_provider
from recording_insights.settings import UpdateProviderSettings
from wiring import Wiring

wiring = Wiring(UpdateProviderSettings)


@http_route(function_logger("update-provider"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: the provider as it is now."""
    name, body = request.path.get("provider", ""), request.json_object()
    changed = change_provider(
        name, body, names=wiring.takers(wiring.settings.providers), turns=wiring.turns, who=request.who
    )
    return HttpResponse(changed)
