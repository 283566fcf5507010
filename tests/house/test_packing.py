"""The critical packing that the overhead of a run is measured against."""

import pytest
from packing import packing


def test_a_chain_takes_the_sum_of_its_jobs_however_many_cores_there_are():
    assert packing([3.0, 4.0, 5.0], [set(), {0}, {1}], [1, 1, 1], cores=8) == 12
    assert packing([], [], [], cores=2) == 0


def test_two_cores_halve_what_is_independent():
    jobs = [2.0, 2.0, 2.0, 2.0]
    assert packing(jobs, [set()] * 4, [1] * 4, cores=2) == 4
    assert packing(jobs, [set()] * 4, [1] * 4, cores=1) == 8
    # A job of two threads needs both cores, one of eight as many as there are.
    assert packing(jobs, [set()] * 4, [2, 1, 1, 8], cores=2) == 6


def test_the_longest_way_to_the_end_starts_first():
    """A job of 4 s waits for one of 1 s: unless that one starts at once, the end comes later."""
    seconds, needs = [1.0, 3.0, 2.0, 4.0], [set(), set(), set(), {0}]
    assert packing(seconds, needs, [1] * 4, cores=2) == 5
    # The other order of the same jobs is the same run.
    assert packing([2.0, 3.0, 1.0, 4.0], [set(), set(), set(), {2}], [1] * 4, cores=2) == 5


def test_a_job_waits_for_all_that_it_needs():
    seconds, needs = [1.0, 5.0, 1.0], [set(), set(), {0, 1}]
    assert packing(seconds, needs, [1] * 3, cores=3) == 6
    # And it runs once.
    assert packing(seconds, needs, [1] * 3, cores=1) == 7


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="circle"):
        packing([1.0, 1.0, 1.0], [set(), {2}, {1}], [1] * 3, cores=2)
