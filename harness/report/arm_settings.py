"""What an arm stands for, in a sentence: labels say little to whoever reads a page later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from harness.analysis.arm_settings import arm_settings
from harness.records import AnyRecord, ArmSetting

PACKAGES = ("bnbench", "torch", "numpy")  # of the versions there; the records have all


def arm_sentences(records: Iterable[AnyRecord], name: Callable[[str], str] = str) -> Iterator[str]:
    """A sentence for each arm that has a label or runs elsewhere. ``name`` writes a name, or what
    else is to be read letter by letter.
    """
    for label, settings in arm_settings(records).items():
        for setting in settings:
            yield f"{name(label)} is {_setting(setting, name)}."


def _setting(setting: ArmSetting, name: Callable[[str], str]) -> str:
    places = [("python", setting.python), ("path", setting.path), *setting.variables.items()]
    given = [name(f"{key}={value}") for key, value in places if value is not None]
    where = f" with {', '.join(given)}" if given else ""
    if not setting.runs_elsewhere:
        return f"{name(setting.name)}{where}"
    if not setting.versions:
        return f"{name(setting.name)}{where}; what is in force there could not be learned"
    known = ["python", *(package for package in PACKAGES if package in setting.versions)]
    versions = [f"{package} {setting.versions[package]}" for package in known]
    sets = [f"{part} uses {value}" for part, value in setting.instruction_sets.items()]
    return f"{name(setting.name)}{where}; in force there: {', '.join([*versions, *sets])}"
