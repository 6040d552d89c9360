"""POST /webhooks/{provider}, …/{provider}/{job} and …/{provider}/{job}/{token}"""

from functools import cache, lru_cache

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.aws.secrets import read_secret
from recording_insights.errors import NotFound
from recording_insights.http.edge import LARGEST_CALLBACK, HttpRequest, HttpResponse, http_route
from recording_insights.processing.callbacks import Callbacks, callback_token
from recording_insights.providers.port import CallbackRequest, CallsBack
from recording_insights.providers.registry import load_provider
from recording_insights.settings import WebhookSettings
from recording_insights.store.media import MediaStore

settings = lru_cache(maxsize=1)(WebhookSettings.from_env)


@http_route(Logger(service="receive-callback"), largest_body=LARGEST_CALLBACK)
def handler(request: HttpRequest) -> HttpResponse:
    """200 for every authentic callback of a job of ours, whether or not it was needed."""
    provider, job = request.path.get("provider", ""), request.path.get("job")
    adapter = adapter_of(provider)
    expected = callback_token(read_secret(settings().webhook_secret, ("key",))["key"], provider, job) if job else ""
    callbacks = Callbacks(
        MediaStore(clients.table(settings().table_name)),
        ReplyStore(clients.s3(), settings().replies_bucket),
        clients.end_wait,
    )
    proof = CallbackRequest(request.body, request.headers, request.path.get("token", ""), expected)
    return HttpResponse({"outcome": callbacks.receive_webhook(provider, adapter, proof, name=job)})


@cache
def adapter_of(provider: str) -> CallsBack:
    """The adapter of a provider of the stack whose vendor calls back."""
    adapter = load_provider(provider, settings()) if provider in settings().providers else None
    if not isinstance(adapter, CallsBack):
        raise NotFound("no provider of this stack calls back here")
    return adapter
