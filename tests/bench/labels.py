#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Names at the ends of lines never overlap, keep their order, and stay where they are if there is room."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.environ["SEQSHARE_SOURCE"], "bench", "suite"))
from drawing import apart, within

SEED = 20240229


def check(wanted, gap):
    places = apart(wanted, gap)
    assert len(places) == len(wanted)
    assert all(above - below >= gap - 1e-6 for below, above in zip(places, places[1:])), (wanted, places)
    if all(above - below >= gap for below, above in zip(wanted, wanted[1:])):
        assert places == wanted, (wanted, places)
    # No group of names could be moved as a whole to be nearer: what pulls it up and down is even.
    group = []
    for at, (place, want) in enumerate(zip(places, wanted)):
        group.append(want - place)
        if at + 1 == len(places) or places[at + 1] - place > gap + 1e-6:
            assert abs(sum(group)) < 1e-6 * len(group) * (1 + abs(place)), (wanted, places)
            group = []
    low, high = min(wanted) - gap, min(wanted) + gap * 2 * len(wanted)
    moved = within(places, low, high)
    assert moved[0] >= low - 1e-6 or moved[-1] <= high + 1e-6


print(f"seed {SEED}")
random.seed(SEED)
for _ in range(2000):
    check(sorted(random.uniform(0, 300) for _ in range(random.randint(1, 20))), random.uniform(1, 30))
check([5.0] * 19, 10)
assert apart([], 10) == []
