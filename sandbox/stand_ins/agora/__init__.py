"""Stand-in for Agora Cloud Recording.

Start at `server`, which has the routes. Requests: `answers`, `rules`, `fields`, `checks`, `token`.
A task: `tasks`, `recording`, `recorder`, `tracks`, `snapshots`, `uploads`, `notifications`.
The channel that is recorded: `channel`, `voices`, `cameras`, `media`. Faults and speeds: `dials`.
"""
