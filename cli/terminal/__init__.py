"""What a terminal shows of something that takes long, and of a result: phases, steps, transcript, insights, cost.

Commands and the sandbox print with it. It reads nothing itself.
"""
