// docs/spec/arithmetic.md in the plainest C: mathematical integers as __int128, whole vectors, no layout
// tricks. Shares no code with the kernels, on purpose.
#ifndef EV_TEST_MODEL_H
#define EV_TEST_MODEL_H

#include <stdint.h>
#include <stdlib.h>

typedef __int128 wide;

static inline wide m_floor_div(wide a, wide b) {
  wide quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static inline wide m_rs(wide x, int64_t s) {
  if (s == 0) return x;
  if (s > 120) return 0;  // every x here is below 2^100 in magnitude
  return m_floor_div(x + ((wide)1 << (s - 1)), (wide)1 << s);
}

static inline wide m_clamp(wide x, wide lo, wide hi) { return x < lo ? lo : x > hi ? hi : x; }

// clamp(SH(x, n), -limit, limit), stopping as soon as doubling has left the range.
static inline wide m_sh_clamp(wide x, int64_t n, wide limit) {
  if (n < 0) return m_clamp(m_rs(x, -n), -limit, limit);
  for (int64_t i = 0; i < n && x != 0 && x >= -limit && x <= limit; i++) x *= 2;
  return m_clamp(x, -limit, limit);
}

static inline int m_bitlen(wide x) {
  int bits = 0;
  while (x != 0) {
    bits++;
    x >>= 1;
  }
  return bits;
}

static inline int32_t m_quantise(const int64_t *v, int32_t n, int64_t limit, int16_t *q) {
  wide m = 0;
  for (int32_t c = 0; c < n; c++) {
    wide magnitude = v[c] < 0 ? -(wide)v[c] : (wide)v[c];
    if (magnitude > m) m = magnitude;
  }
  int32_t k = 0;
  while (m_rs(m, k) > limit) k++;
  for (int32_t c = 0; c < n; c++) q[c] = (int16_t)m_rs(v[c], k);
  return k;
}

static inline int32_t m_linear_shift(int64_t in, int64_t multiplier_max) {
  int32_t s = 0;
  while ((wide)32767 * 128 * in * multiplier_max > ((((wide)1 << 30) - 1) << s)) s++;
  return s;
}

static inline void m_linear(
    const int8_t *w, const uint32_t *multiplier, int32_t out, int32_t in, int32_t s, const int16_t *q, int32_t *t) {
  for (int32_t j = 0; j < out; j++) {
    int64_t y = 0;
    for (int32_t i = 0; i < in; i++) y += (int64_t)(w[(int64_t)j * in + i] * q[i]);
    t[j] = (int32_t)m_rs((wide)y * multiplier[j], s);
  }
}

static inline void m_linear4_shifts(int64_t in, int64_t w_max, int64_t m_max, int32_t *s1, int32_t *s2) {
  const wide y = (wide)32767 * w_max * in;
  for (*s1 = 0; y > ((wide)1 << 38) << *s1;) ++*s1;
  const wide z = m_rs(y, *s1);
  for (*s2 = 0; z * m_max > ((((wide)1 << 30) - 1) << *s2);) ++*s2;
}

// w[out][in] are the integer weights.
static inline void m_linear4(
    const int64_t *w, const uint32_t *multiplier, int32_t out, int32_t in, int32_t s1, int32_t s2, const int16_t *q,
    int32_t *t) {
  for (int32_t j = 0; j < out; j++) {
    int64_t y = 0;
    for (int32_t i = 0; i < in; i++) y += w[(int64_t)j * in + i] * q[i];
    t[j] = (int32_t)m_rs(m_rs(y, s1) * multiplier[j], s2);
  }
}

static inline void m_rms_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t f, int64_t epsilon, int16_t *q, int32_t *e) {
  wide m = 0, sum = 0;
  int64_t *u = malloc((size_t)d * 8);
  for (int32_t c = 0; c < d; c++) {
    wide magnitude = x[c] < 0 ? -(wide)x[c] : (wide)x[c];
    if (magnitude > m) m = magnitude;
  }
  int k1 = m_bitlen(m) > 24 ? m_bitlen(m) - 24 : 0;
  for (int32_t c = 0; c < d; c++) {
    u[c] = (int64_t)m_rs(x[c], k1);
    sum += (wide)u[c] * u[c];
  }
  sum += epsilon / ((wide)1 << (2 * k1));
  if (sum > 0) {
    int a = (m_bitlen(sum) + 1) / 2;
    int64_t low = 0, high = 70000;  // r in low..<high
    while (high - low > 1) {
      int64_t middle = (low + high) / 2;
      if ((wide)middle * middle * sum <= (wide)1 << (2 * a + 30)) low = middle; else high = middle;
    }
    for (int32_t c = 0; c < d; c++) u[c] = (int64_t)m_sh_clamp((wide)u[c] * low, 9 - a, (wide)1 << 100) * gain[c];
  }
  *e = m_quantise(u, d, 32767, q) - 24 - f;
  free(u);
}

static inline void m_rope(int32_t *t, int32_t heads, int32_t hd, const int32_t *cosine, const int32_t *sine) {
  for (int32_t h = 0; h < heads; h++) {
    for (int32_t i = 0; i < hd / 2; i++) {
      int32_t *low = &t[h * hd + i], *high = &t[h * hd + i + hd / 2];
      wide a = *low, b = *high;
      *low = (int32_t)m_rs(a * cosine[i] - b * sine[i], 15);
      *high = (int32_t)m_rs(b * cosine[i] + a * sine[i], 15);
    }
  }
}

static inline int64_t m_exp2(int64_t f) {
  wide x = 8 * f;
  wide h1 = 1748 - m_rs(224 * x, 15);
  wide h2 = 7853 - m_rs(h1 * x, 15);
  wide h3 = 22713 - m_rs(h2 * x, 15);
  return (int64_t)(32768 - m_rs(h3 * x, 15));
}

// One query head over n visible keys.
static inline void m_attention(
    const int16_t *q, int32_t eq, const int16_t *keys, const int32_t *ek, const int16_t *values, const int32_t *ev,
    int32_t n, int32_t hd, int32_t *out, int32_t *e) {
  const wide limit = ((wide)1 << 30) - 1;
  int64_t *b = malloc((size_t)n * 8), *p = malloc((size_t)n * 8), b_max = INT64_MIN, sum = 0;
  int32_t e_max = INT32_MIN;
  for (int32_t j = 0; j < n; j++) {
    int64_t s = 0;
    for (int32_t c = 0; c < hd; c++) s += q[c] * keys[(int64_t)j * hd + c];
    b[j] = (int64_t)m_sh_clamp(s, (int64_t)eq + ek[j] + 12, limit);
    if (b[j] > b_max) b_max = b[j];
    if (ev[j] > e_max) e_max = ev[j];
  }
  for (int32_t j = 0; j < n; j++) {
    int64_t delta = b_max - b[j], t = m_exp2(delta % 4096) * 512;
    sum += (int64_t)m_rs(t, delta / 4096);
    p[j] = (int64_t)m_rs(t, delta / 4096 + e_max - ev[j]);
  }
  int h = m_bitlen(sum);
  wide factor = m_floor_div((wide)1 << (h + 15), sum);
  for (int32_t c = 0; c < hd; c++) {
    int64_t a = 0;
    for (int32_t j = 0; j < n; j++) a += p[j] * values[(int64_t)j * hd + c];
    out[c] = (int32_t)m_rs(m_rs(a, h - 18) * factor, 17);
  }
  *e = e_max - 16;
  free(b);
  free(p);
}

static inline void m_merge_heads(const int32_t *t, const int32_t *e, int32_t heads, int32_t hd, int16_t *q, int32_t *out) {
  int64_t *z = malloc((size_t)heads * (size_t)hd * 8);
  int32_t e_max = e[0];
  for (int32_t h = 0; h < heads; h++) e_max = e[h] > e_max ? e[h] : e_max;
  for (int32_t c = 0; c < heads * hd; c++) z[c] = (int64_t)m_rs(t[c], (int64_t)e_max - e[c / hd]);
  *out = e_max + m_quantise(z, heads * hd, 32767, q);
  free(z);
}

static inline void m_swiglu(
    const int32_t *g, int32_t eg, const int32_t *u, int32_t eu, int32_t n, const int32_t *sigma16, int16_t *q,
    int32_t *e) {
  int64_t *v = malloc((size_t)n * 8);
  for (int32_t c = 0; c < n; c++) {
    wide x = m_sh_clamp(g[c], (int64_t)eg + 12, 65535), magnitude = x < 0 ? -x : x;
    int64_t i = (int64_t)(magnitude / 16), r = (int64_t)(magnitude % 16);
    wide sigma = sigma16[i] + m_rs((wide)(sigma16[i + 1] - sigma16[i]) * r, 4);
    if (x < 0) sigma = 32768 - sigma;
    v[c] = (int64_t)(m_rs(g[c] * sigma, 15) * u[c]);
  }
  *e = eg + eu + m_quantise(v, n, 32767, q);
  free(v);
}

static inline void m_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {
  const wide limit = ((wide)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) {
    x[c] = (int64_t)m_clamp(x[c] + m_sh_clamp(t[c], exponent, (wide)1 << 90), -limit, limit);
  }
}

#endif
