"""What `make bench` runs."""

PLAYLIST = "recording.m3u8"
