"""The state machine that monitors a recorder: a module per state, and `progress`, the state that they pass on.

States: `check_recording` (with `credentials`) and `recover_recording` (with `lost_parts`). Routes and handlers import
the two functions, `Watch`, and the starts of watches in `start_watch`.
"""
