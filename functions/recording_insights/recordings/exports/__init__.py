"""The insights of a recording as files for people and other programs. Start at `formats`.

A writer is a pure function of the whole answer of `insights_answer`: `captions` (with `cues`), `text`, `table`, `page`.
`lines` makes texts safe that anybody may have spoken or written.
"""
