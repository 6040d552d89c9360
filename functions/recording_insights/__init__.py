"""The domain: from an Agora recording to insights in DynamoDB.

Rooms, from the top floor down; an import only goes down:
processing, watch   what the states of the two state machines do
recordings, media   what a caller can do with a recording; what happens when a file arrives
store, providers    the table; the conversation-insight services
model               nouns and pure rules, no I/O
agora, aws, http    Agora's API; AWS clients, secrets and buckets; the HTTP edge
conversion          a media file becomes one in a format that a provider takes
hls                 playlists and remux; imports nothing of ours
settings            the environment of each function
errors, deadline, redaction, validation   imported by every room but hls
"""
