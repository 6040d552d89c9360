"""The fault table: what breaks, and what is lost, stuck, paid twice, leaked or wrong afterwards. See `make faults`."""
