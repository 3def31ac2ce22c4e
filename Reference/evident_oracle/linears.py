"""4.3, 4.10, 4.14 and 4.15 of arithmetic.md: products with weights, biases and experts."""

import numpy as np

from . import tables
from .integers import DIV, RS, SH

LIMIT = 2**30 - 1


def linear(q, e, weight, rows=slice(None)):
    """4.3: act16 [n, in] → act32 [n, out], or the given rows of it."""
    s1, s2 = weight.shifts()
    t = RS(RS(weight.product(q, rows), s1) * weight.multipliers[rows], s2)
    return t, e + s1 + s2 - weight.exponent


def add_bias(t, e, bias):
    """4.10: act32 + bias → act32."""
    g = np.maximum(e, -bias.exponent - 6)
    shifted = SH(bias.values, (-bias.exponent - g)[:, None])
    return np.clip(RS(t, (g - e)[:, None]) + shifted, -LIMIT, LIMIT), g


def route(t, e, slots, normalised):
    """4.14: act32 [n, experts] → routes (ids [n, slots], shares [n, slots])."""
    ids = np.argsort(-t, axis=-1, kind="stable")[:, :slots]
    b = np.clip(SH(t, (e + 12)[:, None]), -LIMIT, LIMIT)
    delta = b.max(axis=-1, keepdims=True) - b
    p = RS(tables.POWER[delta % 4096] << 9, delta // 4096)
    chosen = np.take_along_axis(p, ids, axis=-1)
    total = (chosen if normalised else p).sum(axis=-1, keepdims=True)
    return ids, DIV(chosen << 24, total)


def expert_linear(q, e, routes, weight, experts):
    """4.15: act16 [n, in] → act32 [n, slots · o]."""
    return _each_slot(np.repeat(q[:, None], routes[0].shape[1], axis=1), e, routes, weight, experts, _side_by_side)


def expert_sum(q, e, routes, weight, experts):
    """4.15: act16 [n, slots · in] → act32 [n, o]."""
    return _each_slot(q.reshape(len(q), routes[0].shape[1], -1), e, routes, weight, experts, _weighted_sum)


def _each_slot(q, e, routes, weight, experts, joined):
    outputs, exponents = weight.shape[0] // experts, None
    rows = []
    for position, (ids, shares) in enumerate(zip(*routes)):
        slots = []
        for slot, expert in enumerate(ids):
            part = slice(int(expert) * outputs, (int(expert) + 1) * outputs)
            t, exponents = linear(q[position, slot][None], e, weight, part)
            slots.append(t[0])
        rows.append(joined(np.stack(slots), shares))
    return np.stack(rows), exponents


def _side_by_side(t, shares):
    return t.reshape(-1)


def _weighted_sum(t, shares):
    return np.clip(RS(t * shares[:, None], 24).sum(axis=0), -LIMIT, LIMIT)
