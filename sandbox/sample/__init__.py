"""The sample conversation that the stand-ins play by default, and the program that makes it."""
