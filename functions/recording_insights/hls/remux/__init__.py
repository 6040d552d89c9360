"""The remux of a track's segments to one MP4. Start at `remux`.

This package and `conversion` alone import PyAV, which is native code and is in the package of one function alone.
"""
