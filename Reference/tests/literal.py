"""Section 4 once more, for one position, in unbounded Python integers: each line follows a line of the page.

The vectorised operators must agree with this on extreme inputs; a silent int64 overflow could not.
"""

from math import isqrt

from evident_oracle import tables


def RS(x, s):
    return (x + 2 ** (s - 1)) // 2**s if s > 0 else x


def SH(x, n):
    return x * 2**n if n >= 0 else RS(x, -n)


def clamp(x, low, high):
    return min(max(x, low), high)


def Q(v, limit):
    m, k = max(abs(c) for c in v), 0
    while RS(m, k) > limit:
        k += 1
    return [RS(c, k) for c in v], k


X = 2**46 - 1


def DIV(a, b):
    return (2 * a + b) // (2 * b)


def floor_times_power(x, n):
    """floor(x · 2^n)."""
    return x * 2**n if n >= 0 else x // 2**-n


def embed(w, m, f, F, scale=None):
    if scale is None:
        return [clamp(SH(c * m, F - f), -X, X) for c in w]
    return [clamp(SH(c * m * scale, F - f - 14), -X, X) for c in w]


def normalised(x, added):
    """Steps 1 to 4 of 4.2; `added` is what S has beyond the squares, as a function of k1."""
    m = max(abs(c) for c in x)
    k1 = max(0, m.bit_length() - 24)
    u = [RS(c, k1) for c in x]
    S = max(1, sum(c * c for c in u) + added(k1))
    a = -(-S.bit_length() // 2)
    r = isqrt(2 ** (2 * a + 30) // S)
    assert r * r * S <= 2 ** (2 * a + 30) < (r + 1) ** 2 * S and 2**15 <= r <= 2**16 and S < 2**63
    n = [SH(c * r, 9 - a) for c in u]
    assert max(abs(c) for c in n) <= 2**24
    return n


def rms_norm(x, g, f_g, epsilon):
    n = normalised(x, lambda k1: epsilon // 2 ** (2 * k1))
    q, k = Q([c * d for c, d in zip(n, g)], 32767)
    return q, k - 24 - f_g


def norm_heads(t, e, heads, g, f_g, epsilon, F):
    out, w = [], len(g)
    assert len(t) == heads * w
    for h in range(heads):
        part = t[h * w : (h + 1) * w]
        n = normalised(part, lambda k1: min(floor_times_power(epsilon, -2 * (e + k1 + F)), 2**62 - 1))
        out += [clamp(RS(c * d, 17), -(2**30 - 1), 2**30 - 1) for c, d in zip(n, g)]
    return out, -7 - f_g


def layer_norm(x, g, f_g, b, f_b, epsilon, F):
    mu = DIV(sum(x), len(x))
    y = [c - mu for c in x]
    assert max(abs(c) for c in y) < 2**47
    n = normalised(y, lambda k1: epsilon // 2 ** (2 * k1))
    scaled = [clamp(SH(c * d, F - 24 - f_g), -(2**48), 2**48) for c, d in zip(n, g)]
    shifted = [clamp(SH(c, F - f_b), -(2**48), 2**48) for c in b]
    return [clamp(c + d, -X, X) for c, d in zip(scaled, shifted)]


def embedding(rows, pooling, is_normalised, D, F):
    if pooling == "mean":
        p = [DIV(sum(column), len(rows)) for column in zip(*rows)]
    else:
        p = rows[0] if pooling == "cls" else rows[-1]
    p = p[:D]
    if is_normalised:
        return normalised(p, lambda k1: 0), -24
    k = 0
    while RS(max(abs(c) for c in p), k) > 2**24:
        k += 1
    return [RS(c, k) for c in p], k - F


def linear(q, e, w, M, f):
    s = linear8_shift(len(q), M)
    t = [RS(sum(a * b for a, b in zip(row, q)) * m, s) for row, m in zip(w, M)]
    assert max(abs(c) for c in t) < 2**30
    return t, e + s - f


def linear8_shift(columns, M):
    s = 0
    while 32767 * 128 * columns * max(M) > (2**30 - 1) * 2**s:
        s += 1
    return s


def V(g):
    return (-1) ** (g >> 15) * (g & 2047) * 2 ** ((g >> 11) & 15)


def group_weights(u, g, b=None):
    """w of one row from its quants and the codes of its groups."""
    if b is None:
        return [(c - 8) * V(g[i // 32]) for i, c in enumerate(u)]
    return [c * V(g[i // 32]) - 16 * V(b[i // 32]) for i, c in enumerate(u)]


def group_shifts(columns, G, B, M):
    """(s1, s2) from all codes of the weight."""
    if B is None:
        wmax = max(8 * abs(V(g)) for row in G for g in row)
    else:
        pairs = [(V(g), 16 * V(b)) for gs, bs in zip(G, B) for g, b in zip(gs, bs)]
        wmax = max(max(abs(b), abs(15 * g - b)) for g, b in pairs)
    Y, s1, s2 = 32767 * wmax * columns, 0, 0
    while Y > 2**38 * 2**s1:
        s1 += 1
    Z = RS(Y, s1)
    while Z * max(M) > (2**30 - 1) * 2**s2:
        s2 += 1
    return s1, s2


def linear4(q, e, u, G, B, M, f, shifts=None):
    """4.3 of linear4 (B None) and linear4m; `shifts` when these are only some rows of the weight."""
    s1, s2 = shifts or group_shifts(len(q), G, B, M)
    t = []
    for j, m in enumerate(M):
        w = group_weights(u[j], G[j], None if B is None else B[j])
        y = sum(a * b for a, b in zip(w, q))
        assert abs(y) < 2**62
        t.append(RS(RS(y, s1) * m, s2))
    assert max(abs(c) for c in t) < 2**30
    return t, e + s1 + s2 - f


def linear16(q, e, w, M, f, largest_multiplier):
    """4.3 of linear16 for some rows of a weight."""
    Y, s1, s2 = 32767 * 2**15 * len(q), 0, 0
    while Y > 2**38 * 2**s1:
        s1 += 1
    while RS(Y, s1) * largest_multiplier > (2**30 - 1) * 2**s2:
        s2 += 1
    t = [RS(RS(sum(a * b for a, b in zip(row, q)), s1) * m, s2) for row, m in zip(w, M)]
    assert max(abs(c) for c in t) < 2**30
    return t, e + s1 + s2 - f


def add_bias(t, e, b, f):
    g = max(e, -f - 6)
    limit = 2**30 - 1
    assert max(abs(SH(c, -f - g)) for c in b) < 2**29
    return [clamp(RS(c, g - e) + SH(d, -f - g), -limit, limit) for c, d in zip(t, b)], g


def route(t, e, slots, is_normalised):
    order = sorted(range(len(t)), key=lambda j: (-t[j], j))[:slots]
    b = [clamp(SH(c, e + 12), -(2**30 - 1), 2**30 - 1) for c in t]
    p = [RS(int(tables.POWER[(max(b) - c) % 4096]) * 2**9, (max(b) - c) // 4096) for c in b]
    S = sum(p[j] for j in order) if is_normalised else sum(p)
    return order, [DIV(p[j] * 2**24, S) for j in order]


def weighted(ts, shares):
    """The sum of expertSum over the slots' outputs."""
    limit = 2**30 - 1
    return [clamp(sum(RS(c * w, 24) for c, w in zip(column, shares)), -limit, limit) for column in zip(*ts)]


def rope(t, p, phases, hd):
    out, R = list(t), len(phases)
    for h in range(0, len(t), hd):
        for i in range(R):
            index = ((p * phases[i] % 2**64 + 2**47) // 2**48) % 2**16
            cos, sin = int(tables.COSINE[index]), int(tables.COSINE[(index - 16384) % 65536])
            a, b = t[h + i], t[h + i + R]
            out[h + i], out[h + i + R] = RS(a * cos - b * sin, 15), RS(b * cos + a * sin, 15)
    assert max(abs(c) for c in out) < 2**31
    return out


def CAP(x, C):
    assert abs(x) < 2**30 and 2**12 <= C < 2**29 and abs(x) * (2**44 // C) < 2**63
    z = min(abs(x) * (2**44 // C) // 2**28, 2**19 - 1)
    i, r = z // 128, z % 128
    low, high = int(tables.TANH[i]), int(tables.TANH[i + 1])
    cap = RS(C * (low + RS((high - low) * r, 7)), 24)
    return -cap if x < 0 else cap


def softcap(t, e, C):
    return [CAP(clamp(SH(c, e + 16), -(2**30 - 1), 2**30 - 1), C) for c in t], -16


def attention(q, e_q, k, e_k, v, e_v, cap=None):
    """One query head over its visible keys."""
    T = [int(c) for c in tables.POWER]
    b = []
    for kj, ej in zip(k, e_k):
        s = sum(x * y for x, y in zip(q, kj))
        assert abs(s) < 2**31
        score = clamp(SH(s, e_q + ej + 12), -(2**30 - 1), 2**30 - 1)
        b.append(score if cap is None else CAP(score, cap))
    delta = [max(b) - c for c in b]
    p = [RS(T[d % 4096] * 2**9, d // 4096) for d in delta]
    S, E = sum(p), max(e_v)
    p2 = [RS(T[d % 4096] * 2**9, d // 4096 + E - e) for d, e in zip(delta, e_v)]
    a = [sum(w * row[c] for w, row in zip(p2, v)) for c in range(len(q))]
    h = S.bit_length()
    R = 2 ** (h + 15) // S
    assert 2**15 <= R <= 2**16
    o = [RS(RS(c, h - 18) * R, 17) for c in a]
    assert max(abs(c) for c in o) < 2**29
    return o, E - 16


def merge_heads(t, e):
    Em = max(e)
    q, k = Q([RS(c, Em - e_h) for row, e_h in zip(t, e) for c in row], 32767)
    return q, Em + k


def activated(g, e_g, table):
    """RS(g · σ, 15) with σ from a table of section 5."""
    out = []
    for a in g:
        x = clamp(SH(a, e_g + 12), -65535, 65535)
        i, r = abs(x) // 16, abs(x) % 16
        low, high = int(table[i]), int(table[i + 1])
        sigma = low + RS((high - low) * r, 4)
        if x < 0:
            sigma = 32768 - sigma
        out.append(RS(a * sigma, 15))
    return out


def gated(g, e_g, u, e_u, table):
    v = [a * b for a, b in zip(activated(g, e_g, table), u)]
    assert max(abs(c) for c in v) < 2**60 + 2**31
    q, k = Q(v, 32767)
    return q, e_g + e_u + k


def activate(g, e_g, table):
    q, k = Q(activated(g, e_g, table), 32767)
    return q, e_g + k


def add(x, t, e, F):
    return [clamp(c + SH(d, e + F), -X, X) for c, d in zip(x, t)]


def add_residuals(x, z):
    return [clamp(c + d, -X, X) for c, d in zip(x, z)]


def quantise_residual(x, F):
    q, k = Q(x, 32767)
    return q, k - F
