"""Upkeep: erasing recordings, with a receipt of what was deleted and what could not be.

Routes, states and the sweep import `erase`; the state imports `erase_page`. What stops the work at media objects is
passed in: this room knows no other on its floor.
"""
