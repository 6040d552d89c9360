"""One module or folder per conversation-insight vendor; each declares itself as VENDOR and is found by that."""

import pkgutil
from functools import cache
from importlib import import_module

from sandbox.stand_ins.vendor import Vendor


@cache
def vendors() -> dict[str, Vendor]:
    """All vendors by name."""
    found = [import_module(f"{__name__}.{module.name}.server").VENDOR for module in pkgutil.iter_modules(__path__)]
    return {vendor.name: vendor for vendor in found}
