"""The tensors of arithmetic.md section 3 and their bytes of model.md."""

from dataclasses import dataclass

import numpy as np

from . import pack
from .canonical import Rejection
from .integers import RS, power_of_two_shift

GROUP = 32


def _two_shifts(largest, columns, multipliers):
    bound = 32767 * largest * columns
    s1 = power_of_two_shift(bound, 2**38)
    return s1, power_of_two_shift(int(RS(bound, s1)) * int(multipliers.max()), 2**30 - 1)


class Matrix:
    """linear8, linear16 or table16: integer weights [rows, columns], multipliers M [rows], exponent f."""

    def __init__(self, weights, multipliers, exponent, kind=None):
        self.weights = weights
        self.kind = kind or ("linear8" if weights.dtype.itemsize == 1 else "table16")
        self.multipliers = np.asarray(multipliers).astype(np.int64)
        self.exponent = exponent
        self._transposed = None

    @property
    def shape(self):
        return self.weights.shape

    def integers(self, rows=slice(None)):
        """w [rows, columns], of all rows or of some."""
        return self.weights[rows].astype(np.int64)

    def product(self, q, rows=slice(None)):
        """y = W q of 4.3 for the given rows; q [n, in] → [n, rows].

        In binary64: every partial sum is an integer below 2^30 · 65535 < 2^53, so it is exact in whatever order
        the library adds.
        """
        if self._transposed is None:
            self._transposed = np.ascontiguousarray(self.weights.T.astype(np.float64))
        return (q.astype(np.float64) @ self._transposed[:, rows]).astype(np.int64)

    def shifts(self):
        """(s1, s2) of 4.3; s1 is 0 for linear8."""
        if self.kind == "linear16":
            return _two_shifts(2**15, self.shape[1], self.multipliers)
        bound = 32767 * 128 * self.shape[1] * int(self.multipliers.max())
        return 0, power_of_two_shift(bound, 2**30 - 1)

    def real(self):
        """The weights as real numbers; only for measurements."""
        return self.weights * np.ldexp(self.multipliers.astype(np.float64), -self.exponent)[:, None]

    def encoded(self):
        body = self.weights.astype("<i1" if self.kind == "linear8" else "<i2").tobytes()
        return _padded(body) + self.multipliers.astype("<u4").tobytes()


def decoded_scale(code):
    """V(g) of a stored group multiplier."""
    code = np.asarray(code).astype(np.int64)
    magnitude = (code & 2047) << ((code >> 11) & 15)
    return np.where(code >> 15 == 1, -magnitude, magnitude)


class Grouped:
    """linear4, or linear4m where there are minimums: u [rows, columns], codes [rows, columns / 32], M, f."""

    def __init__(self, quants, scales, minimums, multipliers, exponent):
        self.quants, self.scales, self.minimums = quants, scales, minimums
        self.multipliers = np.asarray(multipliers).astype(np.int64)
        self.exponent = exponent
        self._halves = None

    @property
    def kind(self):
        return "linear4" if self.minimums is None else "linear4m"

    @property
    def shape(self):
        return self.quants.shape

    def integers(self, rows=slice(None)):
        """w [rows, columns], of all rows or of some."""
        quants = self.quants[rows]
        u = quants.astype(np.int64).reshape(len(quants), -1, GROUP)
        g = decoded_scale(self.scales[rows])[..., None]
        w = (u - 8) * g if self.minimums is None else u * g - 16 * decoded_scale(self.minimums[rows])[..., None]
        return w.reshape(quants.shape)

    def largest(self):
        """Wmax."""
        g = decoded_scale(self.scales)
        if self.minimums is None:
            return 8 * int(np.abs(g).max())
        b = 16 * decoded_scale(self.minimums)
        return int(max(np.abs(b).max(), np.abs(15 * g - b).max()))

    def product(self, q, rows=slice(None)):
        """As of a Matrix. w = high · 2^16 + low keeps both sums below 2^16 · 2^15 · 2^16 = 2^47."""
        if self._halves is None:
            w = self.integers()
            self._halves = [np.ascontiguousarray(half.T.astype(np.float64)) for half in (w >> 16, w & 65535)]
        high, low = ((q.astype(np.float64) @ half[:, rows]).astype(np.int64) for half in self._halves)
        return (high << 16) + low

    def shifts(self):
        """(s1, s2) of 4.3."""
        return _two_shifts(self.largest(), self.shape[1], self.multipliers)

    def real(self):
        return self.integers() * np.ldexp(self.multipliers.astype(np.float64), -self.exponent)[:, None]

    def encoded(self):
        pairs = self.quants.astype(np.uint8).reshape(self.shape[0], -1, 2)
        body = _padded((pairs[..., 0] | pairs[..., 1] << 4).tobytes()) + _padded(self.scales.astype("<u2").tobytes())
        if self.minimums is not None:
            body += _padded(self.minimums.astype("<u2").tobytes())
        return body + self.multipliers.astype("<u4").tobytes()


@dataclass(frozen=True)
class Vector:
    """gain or bias: integers [n] and an exponent."""

    kind: str
    values: np.ndarray
    exponent: int

    @property
    def shape(self):
        return self.values.shape

    def real(self):
        return self.values * 2.0**-self.exponent

    def encoded(self):
        return self.values.astype("<i4").tobytes()


def _padded(body):
    return body + bytes(pack.aligned(len(body)) - len(body))


class _Reader:
    """Takes the parts of a tensor's bytes in order."""

    def __init__(self, name, data):
        self._name, self._data, self._at = name, data, 0

    def array(self, dtype, count, last=False):
        used = count * np.dtype(dtype).itemsize
        end = self._at + used
        aligned = end if last else self._at + pack.aligned(used)
        if len(self._data) < aligned or (last and len(self._data) != end):
            raise Rejection(f"manifest: {self._name} has {len(self._data)} bytes, not what its shape needs")
        if any(self._data[end:aligned]):
            raise Rejection(f"manifest: {self._name}: padding is not zero")
        result = np.frombuffer(self._data, dtype, count, self._at)
        self._at = aligned
        return result


def decoded(name, kind, shape, exponent, data):
    """The tensor that these bytes hold, or `Rejection`."""
    reader = _Reader(name, data)
    if kind in ("gain", "bias"):
        values = reader.array("<i4", shape[0], last=True).astype(np.int64)
        if np.abs(values).max() >= 2**23:
            raise Rejection(f"manifest: {name}: a {kind} reaches 2^23")
        return Vector(kind, values, exponent)
    rows, columns = shape
    if kind in ("linear8", "linear16", "table16"):
        weights = reader.array("<i1" if kind == "linear8" else "<i2", rows * columns).reshape(shape)
        return Matrix(weights, _multipliers(name, reader, rows), exponent, kind)
    groups = columns // GROUP
    packed = reader.array("<u1", rows * columns // 2).reshape(rows, columns // 2)
    quants = np.stack([packed & 15, packed >> 4], axis=-1).reshape(rows, columns)
    scales = reader.array("<u2", rows * groups).reshape(rows, groups)
    minimums = reader.array("<u2", rows * groups).reshape(rows, groups) if kind == "linear4m" else None
    return Grouped(quants, scales, minimums, _multipliers(name, reader, rows), exponent)


def _multipliers(name, reader, rows):
    multipliers = reader.array("<u4", rows, last=True)
    if multipliers.max() >= 2**24:
        raise Rejection(f"manifest: {name}: a multiplier reaches 2^24")
    return multipliers
