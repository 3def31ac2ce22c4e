"""The 4-bit blocks of GGUF as quants, scales σ and minimums β: w = σ · u - β."""

import numpy as np

GROUP = 32
BLOCK_BYTES = {"Q4_0": (32, 18), "Q4_1": (32, 20), "Q4_K": (256, 144)}


def read(kind, data, rows, columns):
    """(u [rows, columns], σ [rows, columns / 32], β likewise); of Q4_0 β is None, its value is 8 σ."""
    elements, width = BLOCK_BYTES[kind]
    blocks = np.frombuffer(data, np.uint8).reshape(rows, columns // elements, width)
    quants, scales, minimums = {"Q4_0": _q4_0, "Q4_1": _q4_1, "Q4_K": _q4_k}[kind](blocks)
    shape = (rows, columns // GROUP)
    return (
        quants.reshape(rows, columns), scales.reshape(shape), None if minimums is None else minimums.reshape(shape)
    )


def _half(blocks, at):
    return blocks[..., at : at + 2].copy().view("<f2")[..., 0].astype(np.float64)


def _nibbles(data):
    """Bytes [..., 16] → quants [..., 32]: low halves first."""
    return np.concatenate([data & 15, data >> 4], axis=-1)


def _q4_0(blocks):
    return _nibbles(blocks[..., 2:]), _half(blocks, 0), None


def _q4_1(blocks):
    return _nibbles(blocks[..., 4:]), _half(blocks, 0), -_half(blocks, 2)


def _q4_k(blocks):
    d, least = _half(blocks, 0)[..., None], _half(blocks, 2)[..., None]
    packed = blocks[..., 4:16].astype(np.int64)
    low, middle, high = packed[..., 0:4], packed[..., 4:8], packed[..., 8:12]
    scales = np.concatenate([low & 63, (high & 15) | (low >> 6) << 4], axis=-1)
    minimums = np.concatenate([middle & 63, (high >> 4) | (middle >> 6) << 4], axis=-1)
    # Each 32 bytes hold two groups: the low halves, then the high halves.
    pairs = blocks[..., 16:].reshape(*blocks.shape[:-1], 4, 32)
    quants = np.stack([pairs & 15, pairs >> 4], axis=-2)
    return quants, d * scales, least * minimums
