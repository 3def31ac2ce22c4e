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

// n of 4.2 step 4 in place of x, with S = max(1, Σ u² + added).
static inline void m_scale_to_length(int64_t *x, int32_t d, int k1, wide added) {
  wide sum = added;
  for (int32_t c = 0; c < d; c++) {
    x[c] = (int64_t)m_rs(x[c], k1);
    sum += (wide)x[c] * x[c];
  }
  if (sum < 1) sum = 1;
  int a = (m_bitlen(sum) + 1) / 2;
  int64_t low = 0, high = 70000;  // r in low..<high
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if ((wide)middle * middle * sum <= (wide)1 << (2 * a + 30)) low = middle; else high = middle;
  }
  for (int32_t c = 0; c < d; c++) x[c] = (int64_t)m_sh_clamp((wide)x[c] * low, 9 - a, (wide)1 << 100);
}

// k1 of 4.2 step 1.
static inline int m_first_shift(const int64_t *x, int32_t d) {
  wide m = 0;
  for (int32_t c = 0; c < d; c++) {
    wide magnitude = x[c] < 0 ? -(wide)x[c] : (wide)x[c];
    if (magnitude > m) m = magnitude;
  }
  return m_bitlen(m) > 24 ? m_bitlen(m) - 24 : 0;
}

static inline void m_rms_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t f, int64_t epsilon, int16_t *q, int32_t *e) {
  int64_t *u = malloc((size_t)d * 8);
  for (int32_t c = 0; c < d; c++) u[c] = x[c];
  int k1 = m_first_shift(x, d);
  m_scale_to_length(u, d, k1, epsilon / ((wide)1 << (2 * k1)));
  for (int32_t c = 0; c < d; c++) u[c] *= gain[c];
  *e = m_quantise(u, d, 32767, q) - 24 - f;
  free(u);
}

static inline void m_rope(
    int32_t *t, int32_t heads, int32_t hd, int32_t pairs, const int32_t *cosine, const int32_t *sine) {
  for (int32_t h = 0; h < heads; h++) {
    for (int32_t i = 0; i < pairs; i++) {
      int32_t *low = &t[h * hd + i], *high = &t[h * hd + i + pairs];
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

// CAP of 4.16.
static inline int64_t m_cap(int64_t x, int64_t cap, const int32_t *tanh_table) {
  wide magnitude = x < 0 ? -x : x;
  wide z = magnitude * m_floor_div((wide)1 << 44, cap) / ((wide)1 << 28);
  if (z > (1 << 19) - 1) z = (1 << 19) - 1;
  int64_t i = (int64_t)(z / 128), r = (int64_t)(z % 128);
  wide tau = tanh_table[i] + m_rs((wide)(tanh_table[i + 1] - tanh_table[i]) * r, 7);
  wide result = m_rs(cap * tau, 24);
  return (int64_t)(x < 0 ? -result : result);
}

// One query head over n visible keys; `cap` is 0 for none.
static inline void m_attention(
    const int16_t *q, int32_t eq, const int16_t *keys, const int32_t *ek, const int16_t *values, const int32_t *ev,
    int32_t n, int32_t hd, int64_t cap, const int32_t *tanh_table, int32_t *out, int32_t *e) {
  const wide limit = ((wide)1 << 30) - 1;
  int64_t *b = malloc((size_t)n * 8), *p = malloc((size_t)n * 8), b_max = INT64_MIN, sum = 0;
  int32_t e_max = INT32_MIN;
  for (int32_t j = 0; j < n; j++) {
    int64_t s = 0;
    for (int32_t c = 0; c < hd; c++) s += q[c] * keys[(int64_t)j * hd + c];
    b[j] = (int64_t)m_sh_clamp(s, (int64_t)eq + ek[j] + 12, limit);
    if (cap > 0) b[j] = m_cap(b[j], cap, tanh_table);
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

#endif
