from penult.reporting.figures.pareto_front import pareto_front, staircase


def test_a_point_is_on_the_front_if_no_other_is_as_cheap_and_better():
    #        best for 1, worse for 2, best for 2, dearer and no better, the best of all
    costs, scores = [1, 2, 2, 3, 4], [50, 40, 60, 60, 70]
    assert pareto_front(costs, scores) == [0, 2, 4]


def test_where_high_costs_are_good_the_front_falls():
    # Images a second: the third is the fastest, and the first, though slow, the best.
    assert pareto_front([1, 2, 5, 3], [90, 60, 50, 80], lower=False) == [0, 3, 2]


def test_equal_points_are_on_the_front_together():
    assert pareto_front([1, 1, 1], [50, 50, 40]) == [0, 1]
    assert pareto_front([1, 1, 1], [50, 50, 40], lower=False) == [1, 0]
    assert pareto_front([], []) == []


def test_the_line_is_the_best_score_to_be_had_at_each_cost():
    assert staircase([(1, 50), (3, 70)], (0, 4), 0) == [(1, 0), (1, 50), (3, 50), (3, 70), (4, 70)]
    falling = staircase([(1, 70), (3, 50)], (0, 4), 0, lower=False)
    assert falling == [(0, 70), (1, 70), (1, 50), (3, 50), (3, 0)]
