"""How much a place counts by its walking time."""

import numpy as np

from gisapp.params import Decay
from gisapp.scores.arrays import Floats


def decay(minutes: Floats, curve: Decay, horizon_min: float = np.inf) -> Floats:
    """Return the weight of a place at each walking time: 1 at the door, 0 beyond the horizon.

    Formulas, with t in minutes, c = ``curve.minutes`` and s = ``curve.spread``:

    - half_life: 2^(-t/c). The exponential fits walking better than power or Gaussian (Yang & Diez-Roux 2012,
      read); half-times of 3.8 to 5.8 min are published (Handy & Niemeier 1997, Iacono et al. 2008, Kwan 1998;
      parameters read at second hand).
    - step: 1 up to and including c. linear: 1 - t/c. exponential: exp(-t/c). gaussian: exp(-t^2/(2 c^2)).
    - logistic: (1 + exp(-c pi/(s sqrt 3))) / (1 + exp((t - c) pi/(s sqrt 3))), the form of the R package
      ``accessibility`` (read), which is 1 at t = 0.
    - cumulative_gaussian: 1 up to c, then exp(-(t - c)^2/(2 s^2)); after Vale & Pereira 2017 (abstract read,
      formula cited from memory).

    >>> decay(np.array([0.0, 2.5, 15, 30, 30.01]), Decay(), horizon_min=30).round(4).tolist()
    [1.0, 0.7071, 0.125, 0.0156, 0.0]
    >>> decay(np.array([5.0, 10, 10.1]), Decay("step", 10)).tolist()
    [1.0, 1.0, 0.0]
    """
    t = np.asarray(minutes, dtype=np.float64)
    c, s = curve.minutes, curve.spread or 1.0
    match curve.form:
        case "half_life":
            weight = np.exp2(-t / c)
        case "step":
            weight = (t <= c).astype(np.float64)
        case "linear":
            weight = np.maximum(0.0, 1 - t / c)
        case "exponential":
            weight = np.exp(-t / c)
        case "gaussian":
            weight = np.exp(-(t**2) / (2 * c**2))
        case "logistic":
            slope = np.pi / (s * np.sqrt(3))
            # exp of a large argument would overflow; there the weight is 0 anyway
            weight = (1 + np.exp(-c * slope)) / (1 + np.exp(np.minimum((t - c) * slope, 700)))
        case "cumulative_gaussian":
            weight = np.exp(-(np.maximum(0.0, t - c) ** 2) / (2 * s**2))
    return np.where(t > horizon_min, 0.0, weight) if np.isfinite(horizon_min) else weight
