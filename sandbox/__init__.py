"""The outside world on a laptop: a local cloud, Agora, seven vendors, and speech recognition.

Start at `__main__`, which has the commands. Imports only go down:

demo        `make demo`: records, follows and prints one recording
debug       logs, and a handler in this process
cloud       the local stack: starts, deploys, stops
stand_ins   Agora and the vendors, one strict process
terminal    how progress is shown to a person
sample      the conversation that is played
doors       what servers on loopback refuse
"""
