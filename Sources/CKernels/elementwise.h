// The kernels that do the same to every element, as loops that a compiler turns into vector code. Each kernel
// set inlines them under its own target attribute and so gets them in its own instructions.
#ifndef EV_ELEMENTWISE_H
#define EV_ELEMENTWISE_H

#include "spec.h"

// 2^(k - 1), or 0 for k = 0: then (x + half) >> k is RS(x, k) wherever the sum fits.
EV_INLINE int64_t ev_half(int32_t k) { return k == 0 ? 0 : (int64_t)1 << (k - 1); }

// Both factors fit in 32 bits; saying so lets compilers use the 32 by 32 bit multiplier.
EV_INLINE int64_t ev_multiply32(int64_t a, int64_t b) { return (int64_t)(int32_t)a * (int32_t)b; }

EV_INLINE uint64_t ev_max_magnitude64(const int64_t *v, int32_t n) {
  int64_t m = 0;
  for (int32_t c = 0; c < n; c++) {
    const int64_t magnitude = v[c] < 0 ? -v[c] : v[c];
    m = magnitude > m ? magnitude : m;
  }
  return (uint64_t)m;
}

EV_INLINE uint64_t ev_max_magnitude32(const int32_t *v, int32_t n) {
  uint32_t m = 0;
  for (int32_t c = 0; c < n; c++) {
    const uint32_t magnitude = v[c] < 0 ? 0 - (uint32_t)v[c] : (uint32_t)v[c];
    m = magnitude > m ? magnitude : m;
  }
  return m;
}

EV_INLINE int32_t ev_quantise64(const int64_t *v, int32_t n, uint64_t m, int16_t *q) {
  const int32_t k = ev_quantising_shift(m, 32767);
  const int64_t half = ev_half(k);
  for (int32_t c = 0; c < n; c++) q[c] = (int16_t)((v[c] + half) >> k);
  return k;
}

EV_INLINE int32_t ev_quantise32(const int32_t *v, int32_t n, uint64_t limit, int16_t *q) {
  const int32_t k = ev_quantising_shift(ev_max_magnitude32(v, n), limit);
  if (k == 0) {
    for (int32_t c = 0; c < n; c++) q[c] = (int16_t)v[c];
  } else {
    for (int32_t c = 0; c < n; c++) q[c] = (int16_t)(((v[c] >> (k - 1)) + 1) >> 1);
  }
  return k;
}

EV_INLINE void ev_rms_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, int16_t *q,
    int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [d]
  const int32_t k1 = ev_max(0, ev_bitlen(ev_max_magnitude64(x, d)) - 24);
  const int64_t half = ev_half(k1);
  uint64_t sum = (uint64_t)(epsilon >> (2 * k1));
  for (int32_t c = 0; c < d; c++) {
    const int64_t u = (x[c] + half) >> k1;
    sum += (uint64_t)ev_multiply32(u, u);
    v[c] = u;
  }
  int32_t a = 9;
  const int64_t r = sum == 0 ? 0 : ev_reciprocal_root(sum, &a);
  const int32_t left = ev_max(0, 9 - a), right = ev_max(0, a - 9);
  const int64_t half_right = ev_half(right), factor = r << left;  // below 2^25
  int64_t m = 0;
  for (int32_t c = 0; c < d; c++) {
    const int64_t n = (ev_multiply32(v[c], factor) + half_right) >> right;
    const int64_t product = ev_multiply32(n, gain[c]);
    const int64_t magnitude = product < 0 ? -product : product;
    m = magnitude > m ? magnitude : m;
    v[c] = product;
  }
  *e = ev_quantise64(v, d, (uint64_t)m, q) - 24 - gain_exponent;
}

EV_INLINE void ev_rotate(
    int32_t *restrict low, int32_t *restrict high, int32_t half, const int32_t *restrict cos,
    const int32_t *restrict sin) {
  for (int32_t i = 0; i < half; i++) {
    const int32_t a = low[i], b = high[i], c = cos[i], s = sin[i];
    low[i] = (int32_t)((ev_multiply32(a, c) - ev_multiply32(b, s) + 16384) >> 15);
    high[i] = (int32_t)((ev_multiply32(b, c) + ev_multiply32(a, s) + 16384) >> 15);
  }
}

EV_INLINE void ev_rope(int32_t *t, int32_t heads, int32_t hd, const int32_t *cos, const int32_t *sin) {
  for (int32_t h = 0; h < heads; h++) {
    int32_t *head = t + (size_t)h * (size_t)hd;
    ev_rotate(head, head + hd / 2, hd / 2, cos, sin);
  }
}

EV_INLINE void ev_quantise_heads(
    const int32_t *t, int32_t heads, int32_t hd, int32_t limit, int32_t exponent, int16_t *q, int32_t *e) {
  for (int32_t h = 0; h < heads; h++) {
    const size_t head = (size_t)h * (size_t)hd;
    e[h] = exponent + ev_quantise32(t + head, hd, (uint64_t)limit, q + head);
  }
}

EV_INLINE void ev_merge_heads(
    const int32_t *t, const int32_t *exponent, int32_t heads, int32_t hd, int16_t *q, int32_t *e, void *scratch) {
  int32_t *z = (int32_t *)scratch;  // [heads][hd]
  int32_t exponent_max = exponent[0];
  for (int32_t h = 1; h < heads; h++) exponent_max = ev_max(exponent_max, exponent[h]);
  for (int32_t h = 0; h < heads; h++) {
    const size_t head = (size_t)h * (size_t)hd;
    const int32_t k = ev_min(31, exponent_max - exponent[h]);  // |t| < 2^29: nothing is left from 30 on
    const int32_t half = (int32_t)ev_half(k);
    for (int32_t c = 0; c < hd; c++) z[head + (size_t)c] = (t[head + (size_t)c] + half) >> k;
  }
  *e = exponent_max + ev_quantise32(z, heads * hd, 32767, q);
}

enum { EV_GATES_AT_ONCE = 256 };

// pairs[i] = sigma_pairs[index[i]]. Compiled for the baseline instruction set, on purpose: plain loads beat the
// gather instructions that a compiler would use for AVX2 and AVX-512.
static __attribute__((noinline, unused)) void ev_look_up(
    const uint32_t *restrict sigma_pairs, const uint32_t *restrict index, int32_t n, uint32_t *restrict pairs) {
  for (int32_t i = 0; i < n; i++) pairs[i] = sigma_pairs[index[i]];
}

// x of 4.8 step 1 and the index into the table. x = RS(clamp(g, -largest, largest) << left, right), clamped, is
// ev_sh_saturating with 17 bits. |g| < 2^30: nothing is left from a right shift of 31 on.
EV_INLINE void ev_gate_index(
    const int32_t *restrict g, int32_t shift, int32_t n, int32_t *restrict gate, uint32_t *restrict index) {
  const int32_t left = ev_min(ev_max(shift, 0), 17), right = ev_min(ev_max(-shift, 0), 31);
  const int32_t largest = shift < 0 ? INT32_MAX : (1 << 17) >> left, half = (int32_t)ev_half(right);
  for (int32_t c = 0; c < n; c++) {
    int32_t x = g[c] > largest ? largest : g[c] < -largest ? -largest : g[c];
    x = ((int32_t)((uint32_t)x << left) + half) >> right;
    x = x > 65535 ? 65535 : x < -65535 ? -65535 : x;
    gate[c] = x;
    index[c] = (uint32_t)(x < 0 ? -x : x) >> 4;
  }
}

// v of 4.8 step 3. Returns the larger of m and the largest |v|.
EV_INLINE int64_t ev_gated(
    const int32_t *restrict g, const int32_t *restrict u, const int32_t *restrict gate,
    const uint32_t *restrict pairs, int32_t n, int64_t *restrict v, int64_t m) {
  for (int32_t c = 0; c < n; c++) {
    const int32_t x = gate[c], magnitude = x < 0 ? -x : x;
    const int32_t low = (int32_t)(pairs[c] & 0xffff), high = (int32_t)(pairs[c] >> 16);
    const int32_t positive = low + (((high - low) * (magnitude & 15) + 8) >> 4);
    const int32_t sigma = x < 0 ? 32768 - positive : positive;
    const int64_t h = (ev_multiply32(g[c], sigma) + 16384) >> 15;
    const int64_t product = ev_multiply32(h, u[c]);
    const int64_t size = product < 0 ? -product : product;
    m = size > m ? size : m;
    v[c] = product;
  }
  return m;
}

EV_INLINE void ev_swiglu(
    const int32_t *g, int32_t g_exponent, const int32_t *u, int32_t u_exponent, int32_t n,
    const uint32_t *sigma_pairs, int16_t *q, int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [n]
  int64_t m = 0;
  for (int32_t c = 0; c < n; c += EV_GATES_AT_ONCE) {
    int32_t gate[EV_GATES_AT_ONCE];
    uint32_t index[EV_GATES_AT_ONCE], pairs[EV_GATES_AT_ONCE];
    const int32_t count = ev_min(n - c, EV_GATES_AT_ONCE);
    ev_gate_index(g + c, g_exponent + 12, count, gate, index);
    ev_look_up(sigma_pairs, index, count, pairs);
    m = ev_gated(g + c, u + c, gate, pairs, count, v + c, m);
  }
  *e = g_exponent + u_exponent + ev_quantise64(v, n, (uint64_t)m, q);
}

EV_INLINE void ev_residual_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  // SH with saturation at 2^48, which saturates the sum as well.
  const int32_t left = ev_min(ev_max(exponent, 0), 48), right = ev_min(ev_max(-exponent, 0), 62);
  const int64_t largest = exponent < 0 ? INT32_MAX : ((int64_t)1 << 48) >> left, half = ev_half(right);
  for (int32_t c = 0; c < d; c++) {
    int64_t s = t[c];
    s = s > largest ? largest : s < -largest ? -largest : s;
    s = x[c] + (((int64_t)((uint64_t)s << left) + half) >> right);
    x[c] = s > x_max ? x_max : s < -x_max ? -x_max : s;
  }
}

// A set's functions of these kernels, under the target attribute `TARGET`.
#define EV_ELEMENTWISE_KERNELS(TARGET)                                                                             \
  TARGET static void rms_norm(                                                                                     \
      const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, int16_t *q,        \
      int32_t *e, void *scratch) {                                                                                 \
    ev_rms_norm(x, d, gain, gain_exponent, epsilon, q, e, scratch);                                                \
  }                                                                                                                \
  TARGET static void rope(int32_t *t, int32_t heads, int32_t hd, const int32_t *cos, const int32_t *sin) {         \
    ev_rope(t, heads, hd, cos, sin);                                                                               \
  }                                                                                                                \
  TARGET static void quantise_heads(                                                                               \
      const int32_t *t, int32_t heads, int32_t hd, int32_t limit, int32_t exponent, int16_t *q, int32_t *e) {      \
    ev_quantise_heads(t, heads, hd, limit, exponent, q, e);                                                        \
  }                                                                                                                \
  TARGET static void merge_heads(                                                                                  \
      const int32_t *t, const int32_t *exponent, int32_t heads, int32_t hd, int16_t *q, int32_t *e,                \
      void *scratch) {                                                                                             \
    ev_merge_heads(t, exponent, heads, hd, q, e, scratch);                                                         \
  }                                                                                                                \
  TARGET static void residual_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {                     \
    ev_residual_add(x, t, d, exponent);                                                                            \
  }                                                                                                                \
  TARGET static void swiglu(                                                                                       \
      const int32_t *g, int32_t g_exponent, const int32_t *u, int32_t u_exponent, int32_t n,                       \
      const uint32_t *sigma_pairs, int16_t *q, int32_t *e, void *scratch) {                                        \
    ev_swiglu(g, g_exponent, u, u_exponent, n, sigma_pairs, q, e, scratch);                                        \
  }

#endif
