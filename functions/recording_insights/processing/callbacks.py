"""Callbacks: news that a job has ended, however they come. Whoever is not the vendor ends no wait.

They come as a POST to our webhook, as an object that the vendor laid into our bucket, or as an event of AWS; early,
twice, late or never. The first one is noted on the row and wakes who waits for it; any other changes nothing.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from recording_insights.aws.reply_bucket import CALLBACKS, DELIVERIES, ReplyStore
from recording_insights.errors import NotFound
from recording_insights.model.status import FINAL
from recording_insights.providers.port import CallbackRequest, CallsBack, Job
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import MediaRow

Outcome = Literal["noted", "known already", "over already", "of a job that was given up"]

_JOB_NAME = re.compile(r"(?:^|-)(?P<recording_id>[0-9a-f]{32})-(?P<media_id>[0-9a-f]{20})-(?P<number>\d+)(?:\.json)?$")


@dataclass(frozen=True)
class Callbacks:
    """Takes callbacks in; `end_wait` ends the waiting task of a token and does not mind one that has ended."""

    store: MediaStore
    replies: ReplyStore
    end_wait: Callable[[str], None]

    def receive_webhook(
        self,
        provider: str,
        adapter: CallsBack,
        request: CallbackRequest,
        *,
        name: str | None,
    ) -> Outcome | Literal["nothing to do"]:
        """A POST; `name` is that of the job, if the path has it.

        Raises:
            CallbackForged: it proves nothing; nothing was changed.
            InvalidRequest: it is authentic and makes no sense.
            NotFound: no media object of ours is meant.
        """
        callback = adapter.read_callback(request)
        if callback is None:
            return "nothing to do"
        body = request.body if callback.is_result else None
        if name is not None:
            return self._receive_job(provider, name, job=callback.job, body=body)
        found = self.store.jobs.find(provider, callback.key) if callback.key else None
        if found is None:
            raise NotFound("no job of this name")
        return self._note(provider, *found, job=callback.job, body=body)

    def receive_delivery(self, key: str) -> Outcome:
        """A result that a vendor has laid into the replies bucket, by its key there."""
        provider, _, name = key.removeprefix(DELIVERIES).partition("/")
        return self._receive_job(provider, name, delivery=key)

    def receive_state_change(self, provider: str, job_name: str) -> Outcome:
        """The end of a job that AWS announces by the name that we gave it."""
        return self._receive_job(provider, job_name)

    def _receive_job(
        self,
        provider: str,
        name: str,
        *,
        job: Job | None = None,
        body: bytes | None = None,
        delivery: str | None = None,
    ) -> Outcome:
        match = _JOB_NAME.search(name)
        if not match:
            raise NotFound(f"no job of ours is called {name}")
        item = self._item(match["recording_id"], match["media_id"])
        if int(match["number"]) != len(item.get("given_up", ())):
            return "of a job that was given up"
        ids = match["recording_id"], match["media_id"]
        return self._note(provider, *ids, job=job or {}, body=body, delivery=delivery)

    def _note(
        self,
        provider: str,
        recording_id: str,
        media_id: str,
        *,
        job: Job,
        body: bytes | None = None,
        delivery: str | None = None,
    ) -> Outcome:
        item = self._item(recording_id, media_id)
        if item["status"] in FINAL:
            return "over already"
        present = item.get("job", {})
        if item["provider"] != provider or any(present.get(name, value) != value for name, value in job.items()):
            return "of a job that was given up"
        if "callback_at" in item:
            # Whoever noted it may have broken off before the wait was ended.
            self._wake(item)
            return "known already"
        if body is not None:
            # Kept before it is answered: no vendor sends it again after a 200.
            delivery = f"{CALLBACKS}{provider}/{job_name(recording_id, media_id, item)}.json"
            self.replies.put(delivery, body)
        first = self.store.note_callback(recording_id, media_id, provider=provider, job=job, delivery=delivery)
        self._wake(self._item(recording_id, media_id))
        return "noted" if first else "known already"

    def _wake(self, item: MediaRow) -> None:
        if "task_token" in item and item["status"] not in FINAL:
            self.end_wait(item["task_token"])

    def _item(self, recording_id: str, media_id: str) -> MediaRow:
        item = self.store.find(recording_id, media_id)
        if item is None:
            raise NotFound("no such media object")
        return item


def job_name(recording_id: str, media_id: str, item: MediaRow) -> str:
    """The name of the media object's present job, 55 characters or so; another one after each that was given up."""
    return f"{recording_id}-{media_id}-{len(item.get('given_up', ()))}"


def callback_token(secret: str, provider: str, job_name: str) -> str:
    """What a callback for a job has to show, 64 hex characters; it need not be stored to be checked."""
    return hmac.new(secret.encode(), f"{provider}/{job_name}".encode(), sha256).hexdigest()
