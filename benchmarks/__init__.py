"""`make bench` compares the remux with FFmpeg's command line, and polls and queues with the best possible ones.

It also measures what a model finds. Start at `remux`, `wait`, `queue`, `deployed_queue` or `insights`. `charts` draws
those of `wait` and `queue`.
"""

PLAYLIST = "recording.m3u8"
