"""Section 4 once more, for one position, in unbounded Python integers: each line follows a line of the page.

The vectorised operators must agree with this on extreme inputs; a silent int64 overflow could not.
"""

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


def embed(w, m, f, F):
    return [clamp(SH(c * m, F - f), -X, X) for c in w]


def rms_norm(x, g, f_g, epsilon):
    m = max(abs(c) for c in x)
    k1 = max(0, m.bit_length() - 24)
    u = [RS(c, k1) for c in x]
    S = sum(c * c for c in u) + epsilon // 2 ** (2 * k1)
    a = -(-S.bit_length() // 2)
    r = 2**15
    while (r + 1) ** 2 * S <= 2 ** (2 * a + 30):
        r += 1
    assert r * r * S <= 2 ** (2 * a + 30) and 2**15 <= r <= 2**16 and S < 2**63
    n = [SH(c * r, 9 - a) for c in u]
    assert max(abs(c) for c in n) <= 2**24
    q, k = Q([c * d for c, d in zip(n, g)], 32767)
    return q, k - 24 - f_g


def linear(q, e, w, M, f):
    s = 0
    while 32767 * 128 * len(q) * max(M) > (2**30 - 1) * 2**s:
        s += 1
    t = [RS(sum(a * b for a, b in zip(row, q)) * m, s) for row, m in zip(w, M)]
    assert max(abs(c) for c in t) < 2**30
    return t, e + s - f


def rope(t, p, phases, hd):
    out, half = list(t), hd // 2
    for h in range(0, len(t), hd):
        for i in range(half):
            index = ((p * phases[i] % 2**64 + 2**47) // 2**48) % 2**16
            cos, sin = int(tables.COSINE[index]), int(tables.COSINE[(index - 16384) % 65536])
            a, b = t[h + i], t[h + i + half]
            out[h + i], out[h + i + half] = RS(a * cos - b * sin, 15), RS(b * cos + a * sin, 15)
    assert max(abs(c) for c in out) < 2**31
    return out


def attention(q, e_q, k, e_k, v, e_v):
    """One query head over its visible keys."""
    T = [int(c) for c in tables.POWER]
    b = []
    for kj, ej in zip(k, e_k):
        s = sum(x * y for x, y in zip(q, kj))
        assert abs(s) < 2**31
        b.append(clamp(SH(s, e_q + ej + 12), -(2**30 - 1), 2**30 - 1))
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


def swiglu(g, e_g, u, e_u):
    v = []
    for a, b in zip(g, u):
        x = clamp(SH(a, e_g + 12), -65535, 65535)
        i, r = abs(x) // 16, abs(x) % 16
        low, high = int(tables.SIGMOID[i]), int(tables.SIGMOID[i + 1])
        sigma = low + RS((high - low) * r, 4)
        if x < 0:
            sigma = 32768 - sigma
        v.append(RS(a * sigma, 15) * b)
    assert max(abs(c) for c in v) < 2**60 + 2**31
    q, k = Q(v, 32767)
    return q, e_g + e_u + k


def add(x, t, e, F):
    return [clamp(c + SH(d, e + F), -X, X) for c, d in zip(x, t)]
