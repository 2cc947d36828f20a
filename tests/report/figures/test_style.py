"""One look a name in all figures of a report."""

from __future__ import annotations

from pathlib import Path

from harness.analysis.selection import implementations
from harness.config.choices import ALTERNATIVES
from harness.report import figures
from harness.report.figures import style
from implementations import registry
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE


def test_a_name_looks_the_same_in_all_figures_of_a_report() -> None:
    records = synthetic.everything()
    look = figures.styles(implementations(records))
    assert look[BASELINE].colour == style.COLOURS[0]
    assert look["none"].colour == style.GREY
    assert len({(style.colour, style.marker) for style in look.values()}) == len(look)


def test_a_name_looks_the_same_in_all_reports_whatever_stands_beside_it() -> None:
    names = [*style.KNOWN, "my_bn.Mine", "package.Other(number=3)"]
    alone = {name: figures.styles([name])[name] for name in names}
    assert figures.styles(names) == figures.styles(names[::-1]) == alone


def test_every_name_of_the_package_has_a_look_of_its_own() -> None:
    assert {*registry.names(), *ALTERNATIVES} <= set(style.KNOWN) | {
        name for name in registry.names() if registry.is_foreign(name)
    }
    assert len(set(style.KNOWN.values())) == len(style.KNOWN)


def test_more_names_than_colours_differ_in_their_markers() -> None:
    look = figures.styles([f"plugin_{number}" for number in range(20)])
    assert len({(style.colour, style.marker) for style in look.values()}) == 20


def test_a_name_with_dollars_is_drawn_and_not_read_as_mathematics(tmp_path: Path) -> None:
    drawn = style.figure(1.0)
    drawn.subplots()
    style.legend(drawn, figures.styles(["m.C(a=$x_$)"]), dashes=True)
    drawn.savefig(tmp_path / "legend.png")
    [text] = drawn.legends[0].get_texts()
    assert text.get_text() == r"m.C(a=\$x_\$)"
