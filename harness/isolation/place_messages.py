"""Why no worker can be had in a place that the user named, in a sentence that says what to do."""

from __future__ import annotations

import re

from harness.isolation.messages import PROTOCOL
from harness.isolation.places import Place

OLD_PYTHON = re.compile(r"unknown option:? -P", re.IGNORECASE)  # which Python 3.11 brought
NO_MODULE = re.compile(r"No module named '?([\w.]+)'?")
WORKERS_PACKAGE = "harness"
OWN_PACKAGES = {WORKERS_PACKAGE, "implementations"}


def described(place: Place) -> str:
    """The place in words."""
    if place.python is not None:
        return f"python={place.python}"
    return f"path={place.path}" if place.path is not None else "its environment"


def not_started(place: Place, death: str) -> str:
    """``death`` is how the worker ended, with the end of what it wrote."""
    where, missing = described(place), NO_MODULE.search(death)
    package, _, rest = missing[1].partition(".") if missing else ("", "", "")
    if package in OWN_PACKAGES and not rest:
        return f"{where} has no bnbench; install it there, or name with path a folder that has it"
    if package == WORKERS_PACKAGE:  # this version's workers are not there
        return other_protocol(place, 0)
    if package and package not in OWN_PACKAGES:
        return (
            f"{where} has no Python package {package!r}, which bnbench needs; install it there, as "
            f"with {place.python or 'python'} -m pip install {package}"
        )
    if OLD_PYTHON.search(death):
        return f"{where} is older than Python 3.11, which bnbench needs"
    return f"no worker starts with {where}: {death}"


def other_protocol(place: Place, version: int) -> str:
    """The bnbench there is of another version, as far as talking to its workers goes."""
    spoken = f"version {version}" if version else "no version"
    return (
        f"the bnbench of {described(place)} speaks {spoken} of the protocol between a worker and "
        f"its parent, and this one version {PROTOCOL}; use one that is nearer in time"
    )
