"""`make bench` compares the remux with FFmpeg's command line. Start at `remux`."""

PLAYLIST = "recording.m3u8"
