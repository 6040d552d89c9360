"""`make bench` compares the remux with FFmpeg's command line, and polls and queues with the best possible ones.

Start at `remux`, `wait`, `queue` or `deployed_queue`. `charts` draws those of `wait` and `queue`.
"""

PLAYLIST = "recording.m3u8"
