"""Batches: every example once per epoch, in an order that only seed and epoch decide."""

import numpy as np

from pipeline.seeds import shuffled


def test_an_epoch_holds_every_example_once_in_an_order_of_its_own():
    orders = [shuffled(50, seed, epoch) for seed in (1, 2) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert len({order.tobytes() for order in orders}) == 4
    assert np.array_equal(shuffled(50, 1, 0), orders[0])
    assert not np.array_equal(shuffled(50, 1, 0, "order"), orders[0])
