"""`make demo`: one recording through the whole stack, followed in the terminal."""
