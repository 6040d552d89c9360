"""State "Save insights": read the stored reply, normalise it, write it to the table. Calls no vendor."""

from collections.abc import Callable
from dataclasses import replace

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import ReplyGone, ReplyUnreadable, RowMalformed
from recording_insights.model.insights import in_order_of_time, with_bounded_entities, without_impossible_times
from recording_insights.model.malformed import why_malformed
from recording_insights.model.reasons import NO_REASON
from recording_insights.model.tries import number_of_try
from recording_insights.model.words import packed
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
    """Write the insights and the words, then the status `done`, and return the number of items of each kind.

    The row's `missing` names what the poll reported as missing, then what the reply itself lacks, each once.

    Raises:
        RowMalformed: the row was changed by hand.
        ReplyGone: the reply was deleted.
        ReplyUnreadable: the reply does not match the provider's contract; it stays in the replies bucket.
        ItemTooLarge: one insight exceeds the size of an item.
    """
    row = store.get(progress.recording_id, progress.media_id)
    if fault := why_malformed(row):
        raise RowMalformed(fault)
    name, key = row["provider"], row.get("reply")
    if key is None:
        raise ReplyGone("its row names no reply")
    reply = replies.read(key)
    try:
        insights = with_bounded_entities(without_impossible_times(provider_for(name).read_insights(reply)))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ReplyUnreadable(
            f"{name}'s reply does not match its contract: {_fault_in_reply(error)}; stored as {key}"
        ) from error
    if "uid" in row:
        # A track holds one person's audio: the uid replaces the speakers that the provider detected.
        # In order of time, the lines of all tracks merge without a look at the later ones.
        said = [replace(utterance, speaker=row["uid"]) for utterance in insights.transcript]
        insights = replace(insights, transcript=in_order_of_time(said))
    of_try = progress.recording_id, progress.media_id, number_of_try(row)
    saved = insight_store.save(*of_try, insights)
    words = replies.keep_words(*of_try, packed(saved.words)) if any(saved.words) else None
    missing = list(dict.fromkeys((*row.get("missing", ()), *insights.missing))) or None
    counted = progress.counted
    store.finish(
        *(progress.recording_id, progress.media_id, "done"),
        counts=saved.counts,
        outline=saved.outline,
        words=words,
        missing=missing,
        **NO_REASON,
        **counted,
    )
    return saved.counts


def _fault_in_reply(error: Exception) -> str:
    """Return what is wrong with a reply, in words: the text of Python's own errors means nothing to an operator."""
    if isinstance(error, KeyError):
        return f"it has no field {error.args[0]}"
    if type(error) in (LookupError, ValueError):  # an adapter's own words
        return str(error)
    return "its fields are not of the promised types"
