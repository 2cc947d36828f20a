"""Figures of a report. Only here is anything drawn; matplotlib is imported when it is.

accuracy speed against accuracy
speed    times with ratios, and times over the floor
curves   training by step
marks    a dot, and a dot with its interval
ranges   how far an axis reaches, and its labels
style    the look of each name, and what all figures share
"""

from harness.report.figures.accuracy import draw_accuracy
from harness.report.figures.curves import draw_curves
from harness.report.figures.speed import draw_floors, draw_speed, pages
from harness.report.figures.style import Style, styles

__all__ = ["Style", "draw_accuracy", "draw_curves", "draw_floors", "draw_speed", "pages", "styles"]
