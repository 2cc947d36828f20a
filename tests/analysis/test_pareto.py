"""The front holds exactly what nothing else beats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.pareto import Point, pareto_front

# few values, so that ties are met
coordinates = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])
clouds = st.dictionaries(st.text("abcdef", min_size=1), st.builds(Point, coordinates, coordinates))


def beats(one: Point, other: Point) -> bool:
    as_good = one.error <= other.error and one.time <= other.time
    return as_good and (one.error < other.error or one.time < other.time)


@given(clouds)
def test_nothing_on_the_front_is_beaten_and_all_else_is_by_something_on_it(
    points: dict[str, Point],
) -> None:
    front = pareto_front(points)
    best = [points[name] for name in front]
    for name, point in points.items():
        assert any(beats(other, point) for other in best) is (name not in front)


@given(clouds)
def test_along_the_front_errors_grow_and_times_fall(points: dict[str, Point]) -> None:
    front = [points[name] for name in pareto_front(points)]
    assert front == sorted(front)
    assert [point.time for point in front] == sorted((p.time for p in front), reverse=True)


def test_of_equal_points_all_are_on_the_front() -> None:
    points = {"a": Point(1, 1), "b": Point(1, 1), "c": Point(1, 2)}
    assert set(pareto_front(points)) == {"a", "b"}
    assert pareto_front({}) == ()
