"""Hydra imports nothing that a command line names."""

from __future__ import annotations

import pytest

from harness.config import UsageError, composition
from harness.config.imported_code import refuse_imported_code


@pytest.mark.parametrize(
    "word",
    [
        "hydra.searchpath=[pkg://evil.conf]",
        "+hydra.callbacks.x={_target_: evil.C}",
        "++hydra.callbacks.x=${y}",
        "hydra.launcher._target_=evil.C",
        "hydra.sweeper={_target_: evil.C}",
        "+hydra.job_logging.handlers.x={class: evil.C}",
        "+hydra.hydra_logging.handlers.x={(): evil.C}",
    ],
)
def test_a_key_that_names_code_is_refused(word):
    with pytest.raises(UsageError, match="has Hydra import code into bnbench's own process"):
        refuse_imported_code(["seed=1", word])


def test_keys_that_name_none_are_taken():
    words = "hydra/launcher=joblib hydra.launcher.n_jobs=2 hydra.run.dir=r hydra.verbose=true"
    refuse_imported_code([*words.split(), "implementations=[{_target_: my_bn.Mine}]"])


@pytest.mark.parametrize(
    "hydra",
    [
        "callbacks: {mine: {_target_: evil.C}}",
        "launcher: {_target_: evil.Launcher}",
        "job_logging: {handlers: {x: {class: evil.Handler}}}",
    ],
)
def test_a_preset_of_the_users_names_none_either(tmp_path, hydra):
    (tmp_path / "experiment").mkdir()
    preset = f"# @package _global_\nhydra:\n  {hydra}\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(preset)
    composition.register()
    with pytest.raises(UsageError, match=r"evil\.\w+ has Hydra import code .* in a preset"):
        composition.composed(["experiment=mine"], str(tmp_path))
