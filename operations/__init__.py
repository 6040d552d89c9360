"""Commands that an operator runs against a deployed stage."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
