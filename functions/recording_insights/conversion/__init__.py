"""The conversion of one media file to a format that a provider takes. Start at `convert`.

This package and `hls.remux` alone import PyAV, which is native code and is in the package of one function alone.
"""
