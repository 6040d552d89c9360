"""The doctor: it examines a deployed stage and says what is wrong and what mends it.

`examine.py` has the table of checks and runs them, `after_deploy.py` waits until events flow, `patient.py` is what both
need of a stage, and `findings.py` is what they say. The other modules have the checks by subject. Import these four.
"""
