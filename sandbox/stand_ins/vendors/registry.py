"""All vendors, found by their packages: each declares itself as `VENDOR` in its `server` module."""

import pkgutil
from functools import cache
from importlib import import_module

from sandbox.stand_ins import vendors as packages
from sandbox.stand_ins.vendors.vendor import Vendor


@cache
def vendors() -> dict[str, Vendor]:
    """All vendors by name."""
    names = [module.name for module in pkgutil.iter_modules(packages.__path__) if module.ispkg]
    found: list[Vendor] = [import_module(f"{packages.__name__}.{name}.server").VENDOR for name in names]
    return {vendor.name: vendor for vendor in found}
