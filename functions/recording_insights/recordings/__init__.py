"""What a caller can do with a recording, and what Agora's notifications do.

Read, check and answer: `request`, `read`, `list`, `sync`, `insights_answer` (with `transcript`, `insights_timeline`,
`transcript_page`, `shown_line`, `track_names`), `exports`, `await_end`, `media_links`. Act: `start` (with
`channel_claim`), `upload` (with `await_upload`), `stop`, `change` (with `lease`), `corrections`, `notifications`. The
watch uses `end`, `recorder`, `lease` and `channel_claim` too.
"""
