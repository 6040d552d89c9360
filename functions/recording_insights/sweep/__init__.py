"""The sweep: finds what arrived, ended or failed without anybody noticing, and has it processed."""
