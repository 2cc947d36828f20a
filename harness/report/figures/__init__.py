"""Figures of a report. Only here is anything drawn; matplotlib is imported when it is."""

from harness.report.figures.curves import draw_curves
from harness.report.figures.speed import draw_floors, draw_speed, pages
from harness.report.figures.style import Style, styles

__all__ = ["Style", "draw_curves", "draw_floors", "draw_speed", "pages", "styles"]
