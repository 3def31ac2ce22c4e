"""The φ_i of model.md: turns per position, exactly rounded, and the scalings of RoPE in binary64."""

import math
from fractions import Fraction

from .canonical import Rejection
from .tables import pi_fixed

PRECISION = 192
GUARD = 64


def frequencies(theta, half):
    """φ_i = floor(2^64 · θ^(-2i/r) / 2π) for i < half = r/2; θ is a binary64 value taken exactly.

    θ^(-i/half) is found as an integer root: with θ = n/m it is the largest root with
    root^half · n^i ≤ 2^(P·half) · m^i, so no logarithm is needed. P fraction bits make it a floor in all but
    absurdly unlikely cases, which are refused.
    """
    two_pi, result = 2 * pi_fixed(PRECISION + GUARD), []
    for i in range(half):
        root = _power(theta, i, half)
        low = (root << (64 + PRECISION + GUARD)) // ((two_pi + 8) << PRECISION)
        high = ((root + 1) << (64 + PRECISION + GUARD)) // ((two_pi - 8) << PRECISION)
        if low != high:
            raise ArithmeticError(f"frequency {i} of theta {theta} is too close to an integer")
        result.append(low)
    return result


def turns(theta, half):
    """The φ_i as the nearest binary64 numbers of turns per position."""
    two_pi = 2 * pi_fixed(PRECISION + GUARD)
    # The quotient of two integers is rounded correctly.
    return [(_power(theta, i, half) << GUARD) / two_pi for i in range(half)]


def _power(theta, i, half):
    """floor(2^PRECISION · θ^(-i/half))."""
    numerator, denominator = float(theta).as_integer_ratio()
    return _integer_root(((denominator**i) << (PRECISION * half)) // (numerator**i), half)


def _integer_root(value, degree):
    """The largest r with r^degree ≤ value, by Newton's method from above."""
    if degree == 1:
        return value
    r = 1 << -(-value.bit_length() // degree)
    while True:
        following = ((degree - 1) * r + value // r ** (degree - 1)) // degree
        if following >= r:
            return r
        r = following


def scaled(theta, half, scaling):
    """The φ_i after the scaling that `scaling` (rope_scaling of config.json, or None) asks for."""
    kind = scaling_kind(scaling)
    if kind == "default":
        return frequencies(theta, half)
    formula = {"linear": _linear, "llama3": _llama3, "longrope": _longrope}[kind]
    values = formula(turns(theta, half), scaling)
    if not all(0 <= value < 1 for value in values):
        raise Rejection("a rope frequency is not below one turn")
    return [math.floor(Fraction(value) * 2**64) for value in values]


def scaling_kind(scaling):
    """`default`, `linear`, `llama3` or `longrope`; refuses every other."""
    kind = "default" if not scaling else scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in ("default", "linear", "llama3", "longrope"):
        raise Rejection(f"rope scaling {kind} is not supported")
    return kind


def _linear(phi, scaling):
    return [f / float(scaling["factor"]) for f in phi]


def _llama3(phi, scaling):
    s, o = float(scaling["factor"]), float(scaling["original_max_position_embeddings"])
    l, h = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])

    def one(f):
        wavelength = 1 / f
        if wavelength < o / h:
            return f
        if wavelength > o / l:
            return f / s
        z = (o / wavelength - l) / (h - l)
        return (1 - z) * f / s + z * f

    return [one(f) for f in phi]


def _longrope(phi, scaling):
    factors = scaling["short_factor"]
    if len(factors) != len(phi):
        raise Rejection(f"short_factor has {len(factors)} elements, not {len(phi)}")
    return [f / float(factor) for f, factor in zip(phi, factors)]


def longrope_query_factor(scaling, context):
    """What the query factor of a rotating element is multiplied by; 1 for every other kind of scaling."""
    if scaling_kind(scaling) != "longrope":
        return 1.0
    if scaling.get("attention_factor") is not None:
        return float(scaling["attention_factor"]) * float(scaling["attention_factor"])
    original = scaling["original_max_position_embeddings"]
    ratio = Fraction(context, original) if scaling.get("factor") is None else Fraction(scaling["factor"])
    if ratio <= 1:
        return 1.0
    if original < 2:
        raise Rejection(f"original_max_position_embeddings is {original}")
    above, below = _logarithm(ratio), _logarithm(Fraction(original))
    return (below + above) / below


def _logarithm(x):
    """2^PRECISION · ln x of a fraction x > 1, within a few units."""
    halvings = 0
    while x >= 2:
        x, halvings = x / 2, halvings + 1
    return _reduced_logarithm(x) + halvings * _reduced_logarithm(Fraction(2))


def _reduced_logarithm(x):
    """2 artanh((x - 1) / (x + 1)) for 1 ≤ x ≤ 2."""
    z = (x - 1) / (x + 1)
    bits = PRECISION + GUARD
    term = (z.numerator << bits) // z.denominator
    square, total, n = (term * term) >> bits, 0, 1
    while term:
        total += term // n
        term, n = (term * square) >> bits, n + 2
    return (2 * total) >> GUARD
