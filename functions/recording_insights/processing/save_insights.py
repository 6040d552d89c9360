"""Save insights: read the kept reply, normalise it, write it to the table. Talks to no vendor."""

from collections.abc import Callable
from dataclasses import replace

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import ProviderRejected
from recording_insights.processing.progress import Progress
from recording_insights.providers.port import Provider
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore


def save_insights(
    progress: Progress,
    *,
    store: MediaStore,
    insight_store: InsightStore,
    replies: ReplyStore,
    provider_for: Callable[[str], Provider],
) -> dict[str, int]:
    """Write the insights, then the media object's `done`; returns the number of items of each kind.

    Raises:
        ProviderRejected: the reply does not fit the contract; it stays where it lies.
        ItemTooLarge: one insight exceeds an item.
    """
    item = store.get(progress.recording_id, progress.media_id)
    name, where = item["provider"], item["reply"]
    reply = replies.read(where)
    try:
        insights = provider_for(name).read_insights(reply)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ProviderRejected(
            f"{name}'s reply does not fit its contract ({type(error).__name__}: {error}); it lies under {where}"
        ) from error
    insights = replace(insights, missing=item.get("missing", ()))
    if "uid" in item:
        # A track is what one person said: whom the provider thought to hear does not matter.
        said = [replace(utterance, speaker=item["uid"]) for utterance in insights.transcript]
        insights = replace(insights, transcript=said)
    counts = insight_store.save(progress.recording_id, progress.media_id, insights)
    store.finish(progress.recording_id, progress.media_id, "done", counts=counts, reason=None)
    return counts
