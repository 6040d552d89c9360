"""What helps to find a fault in a local stack that is up: its logs, and a handler in this process.

`logs` reads the log groups of the local cloud. `invoke` runs a handler of functions/ with the settings and the rights
of its deployed function.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "functions"))
