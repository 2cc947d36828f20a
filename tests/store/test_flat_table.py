"""A session as one flat table: a row a record, which other tools group by any setting."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.analysis.moderation import moderated_figures
from harness.records import AnyRecord, ArmSetting, Status
from harness.store.flat_table import FIRST, row_of, write_table
from tests.helpers import synthetic
from tests.helpers.synthetic import SPEEDS, case, cell
from tests.helpers.synthetic_throughput import ERRORS

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bnbench-results")


@pytest.fixture(scope="module")
def table(folder):
    records: list[AnyRecord] = [
        *synthetic.throughput(cell(), SPEEDS, failed={"numpy": Status.WRONG}),
        *synthetic.convergence(missing=[("none", 1)]),
        case("numpy", "data/1", Status.WRONG),
    ]
    write_table(records, folder / "table.parquet")
    return pd.read_parquet(folder / "table.parquet")


def test_a_record_is_a_row_with_its_settings_and_its_figures(table):
    assert tuple(table.columns[: len(FIRST)]) == FIRST
    [timed] = table[table.implementation == "torch_compile"].to_dict("records")
    assert timed["problem"] == str(cell().problem)
    assert (timed["problem.dtype"], timed["phase"]) == ("float32", "training_step")
    assert timed["threads"] == 2
    assert "figures.ratio" not in table.columns
    assert timed["figures.ratio.low"] < timed["figures.ratio.estimate"] < 1
    assert timed["figures.accuracy.worst"] == ERRORS["torch_compile"]
    assert timed["figures.accuracy.worst_quantity"] == "grad_weight"
    assert timed["figures.accuracy.errors.output.ulp"] > 0
    assert timed["problem.shape"] == "[32, 64, 112, 112]"


def test_what_a_labelled_arm_stands_for_is_in_its_row():
    setting = ArmSetting("fused_cpu", variables={"BNBENCH_ISA": "v3"}, versions={"torch": "2.12"})
    record = case("v3", "data/1")
    row = row_of(replace(record, identity=replace(record.identity, arm=setting)))
    assert (row["implementation"], row["arm.name"]) == ("v3", "fused_cpu")
    assert (row["arm.variables.BNBENCH_ISA"], row["arm.versions.torch"]) == ("v3", "2.12")
    assert not [column for column in row_of(record) if column.startswith("arm.")]


def test_an_arm_and_seed_is_a_row(table):
    trained = table[table.task == "convergence"]
    assert len(trained) == 9
    assert not trained.duplicated(["implementation", "seed"]).any()
    steps = trained.groupby("implementation")["figures.steps_to_target"].count()
    assert dict(steps) == {"none": 2, "numpy": 3, "torch_native": 3}


def test_what_failed_has_its_status_and_reason_and_no_figures(table):
    [failed] = table[(table.implementation == "numpy") & (table.task == "throughput")].to_dict(
        "records"
    )
    assert failed["status"] == "WRONG"
    assert failed["reason"]
    assert pd.isna(failed["figures.median_seconds"])
    assert pd.isna(failed["dataset"])


def test_every_setting_can_be_grouped_by(table):
    for name in table.columns:
        assert table.groupby(name, dropna=False).size().sum() == len(table)


def test_a_session_without_records_is_an_empty_table(tmp_path):
    write_table([], tmp_path / "table.parquet")
    assert tuple(pd.read_parquet(tmp_path / "table.parquet").columns) == FIRST


def test_the_lines_of_the_readme_work_on_it(table, folder, capsys):
    [lines] = re.findall(r"```python\n(import pandas\n.*?)```", README, re.DOTALL)
    assert len(lines.replace("\n\n", "\n").splitlines()) == 3
    exec(lines.replace("bnbench-results/reports/SESSION", str(folder)), {})
    printed = capsys.readouterr().out
    assert re.search(r"digits +sgd +none +\d", printed)
    assert len(table) > 0


def test_what_is_moderated_has_columns_of_its_own_beside_the_plain_ones(tmp_path):
    records = [
        record
        for shape in synthetic.SHAPES[:3]
        for record in synthetic.throughput(cell(shape), SPEEDS, launches=3)
    ]
    write_table(records, tmp_path / "table.parquet", moderated_figures(records))
    found = pd.read_parquet(tmp_path / "table.parquet").set_index("implementation")
    assert found.loc["numpy", "moderated.ratio.estimate"].tolist() == pytest.approx(
        found.loc["numpy", "figures.ratio.estimate"].tolist()
    )
    assert (found.loc["numpy", "moderated.p_value"] != found.loc["numpy", "figures.p_value"]).all()
    assert found.loc["torch_native", "moderated.ratio.low"].isna().all()
