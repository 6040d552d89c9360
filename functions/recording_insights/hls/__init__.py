"""HLS playlists and the remux of their segments to one file. Imports nothing of ours."""
