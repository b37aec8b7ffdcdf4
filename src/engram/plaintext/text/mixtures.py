"""Two bells: which of some scores belong to the upper of two groups."""

import numpy as np

from engram.plaintext.roles import Floats, Mask

_STEPS = 200
_ENOUGH = 1e-8  # gain in mean log-likelihood
_NARROWEST = 1e-6  # variance; a bell of equal scores has none of its own


def upper_group(scores: Floats) -> Mask:
    """The scores that a mixture of two Gaussians gives to the one with the larger mean.

    Fitted by expectation maximisation, from the split into two groups that leaves the least
    variance inside them. Nothing is chosen by chance.

    Args:
        scores: (M,) finite.

    Returns:
        (M,) True for the upper group and all that is above it; all False where there are no two
        different scores.
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(values) < 2 or np.ptp(values) < 1e-9:
        return np.zeros(len(values), dtype=bool)
    belongs = _split(values)
    before = -np.inf
    for _ in range(_STEPS):
        share = belongs.sum(axis=1)
        means = belongs @ values / share
        spread = (belongs * (values - means[:, None]) ** 2).sum(axis=1) / share + _NARROWEST
        log = (
            np.log(share / len(values))[:, None]
            - 0.5 * np.log(2 * np.pi * spread)[:, None]
            - (values - means[:, None]) ** 2 / (2 * spread[:, None])
        )
        each = np.logaddexp(log[0], log[1])
        belongs = np.maximum(np.exp(log - each), 1e-300)
        if each.mean() - before < _ENOUGH:
            break
        before = each.mean()
    upper = int(means[1] > means[0])
    accepted = (belongs[upper] > belongs[1 - upper]) & (values > means[1 - upper])
    # Of two bells of one middle the wide one has both ends: what is higher must not be worse.
    chosen: Mask = values >= values.min(where=accepted, initial=np.inf)
    return chosen


def _split(values: np.ndarray) -> np.ndarray:
    """(2, M) ones and zeros: the lower and the upper group of the best cut."""
    order = np.sort(values)
    count = np.arange(1, len(order))
    total = np.cumsum(order)
    low, high = total[:-1] / count, (total[-1] - total[:-1]) / (len(order) - count)
    between = count * (len(order) - count) * (high - low) ** 2
    between[np.diff(order) <= 0] = -1  # equal scores stay together
    cut = order[int(between.argmax())]
    above = values > cut
    return np.stack([~above, above]).astype(np.float64)
