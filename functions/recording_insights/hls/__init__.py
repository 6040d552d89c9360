"""Recordings that come as HLS: what a playlist names, when each slice was spoken, and one file made of them."""
