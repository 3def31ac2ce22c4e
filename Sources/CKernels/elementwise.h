// The kernels that do the same to every element, as loops that a compiler turns into vector code. Each kernel
// set inlines them under its own target attribute and so gets them in its own instructions.
#ifndef EV_ELEMENTWISE_H
#define EV_ELEMENTWISE_H

#include "activations.h"
#include "norms.h"

EV_INLINE void ev_rotate(
    int32_t *restrict low, int32_t *restrict high, int32_t half, const int32_t *restrict cos,
    const int32_t *restrict sin) {
  for (int32_t i = 0; i < half; i++) {
    const int32_t a = low[i], b = high[i], c = cos[i], s = sin[i];
    low[i] = (int32_t)((ev_multiply32(a, c) - ev_multiply32(b, s) + 16384) >> 15);
    high[i] = (int32_t)((ev_multiply32(b, c) + ev_multiply32(a, s) + 16384) >> 15);
  }
}

EV_INLINE void ev_rope(
    int32_t *t, int32_t heads, int32_t hd, int32_t pairs, const int32_t *cos, const int32_t *sin) {
  for (int32_t h = 0; h < heads; h++) {
    int32_t *head = t + (size_t)h * (size_t)hd;
    ev_rotate(head, head + pairs, pairs, cos, sin);
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

EV_INLINE void ev_residual_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  // Saturation at 2^48 saturates the sum as well.
  const ev_shift shift = ev_shift_by(exponent, 48);
  for (int32_t c = 0; c < d; c++) {
    const int64_t s = x[c] + ev_shifted(t[c], shift);
    x[c] = s > x_max ? x_max : s < -x_max ? -x_max : s;
  }
}

EV_INLINE void ev_add_residuals(int64_t *restrict x, const int64_t *restrict z, int32_t d) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) {
    const int64_t s = x[c] + z[c];
    x[c] = s > x_max ? x_max : s < -x_max ? -x_max : s;
  }
}

EV_INLINE int32_t ev_add_bias(int32_t *t, int32_t n, int32_t exponent, const int32_t *bias, int32_t bias_exponent) {
  const int32_t g = ev_max(exponent, -bias_exponent - 6), t_max = (1 << 30) - 1;
  // |t| and |b| stay below 2^30: nothing is left of them from a right shift of 31 on.
  const int32_t t_right = ev_min(g - exponent, 31), b_shift = -bias_exponent - g;
  const int32_t b_left = ev_max(b_shift, 0), b_right = ev_min(ev_max(-b_shift, 0), 31);
  const int32_t t_half = (int32_t)ev_half(t_right), b_half = (int32_t)ev_half(b_right);
  for (int32_t c = 0; c < n; c++) {
    const int32_t b = ((int32_t)((uint32_t)bias[c] << b_left) + b_half) >> b_right;
    const int32_t sum = ((t[c] + t_half) >> t_right) + b;
    t[c] = sum > t_max ? t_max : sum < -t_max ? -t_max : sum;
  }
  return g;
}

EV_INLINE void ev_quantise(const int64_t *x, int32_t d, int32_t fraction_bits, int16_t *q, int32_t *e) {
  *e = ev_quantise64(x, d, ev_max_magnitude64(x, d), q) - fraction_bits;
}

EV_INLINE void ev_combine_experts(
    const int32_t *t, size_t t_stride, int32_t slots, int32_t n, const int32_t *shares, int32_t *out) {
  enum { AT_ONCE = 256 };
  const int64_t t_max = ((int64_t)1 << 30) - 1;
  for (int32_t begin = 0; begin < n; begin += AT_ONCE) {
    const int32_t count = ev_min(n - begin, AT_ONCE);
    int64_t sums[AT_ONCE] = {0};
    for (int32_t k = 0; k < slots; k++) {
      const int32_t *from = t + (size_t)k * t_stride + begin;
      const int32_t share = shares[k];
      for (int32_t c = 0; c < count; c++) sums[c] += (ev_multiply32(from[c], share) + (1 << 23)) >> 24;
    }
    for (int32_t c = 0; c < count; c++) {
      out[begin + c] = (int32_t)(sums[c] > t_max ? t_max : sums[c] < -t_max ? -t_max : sums[c]);
    }
  }
}

// A set's functions of these kernels, under the target attribute `TARGET`.
#define EV_ELEMENTWISE_KERNELS(TARGET)                                                                             \
  TARGET static void rms_norm(                                                                                     \
      const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, int16_t *q,        \
      int32_t *e, void *scratch) {                                                                                 \
    ev_rms_norm(x, d, gain, gain_exponent, epsilon, q, e, scratch);                                                \
  }                                                                                                                \
  TARGET static void layer_norm(                                                                                   \
      const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon,                    \
      const int32_t *bias, int32_t bias_exponent, int32_t fraction_bits, int64_t *out, void *scratch) {            \
    ev_layer_norm(x, d, gain, gain_exponent, epsilon, bias, bias_exponent, fraction_bits, out, scratch);           \
  }                                                                                                                \
  TARGET static void norm_heads(                                                                                   \
      int32_t *t, int32_t heads, int32_t hd, int32_t exponent, const int32_t *gain, int64_t epsilon,               \
      int32_t fraction_bits) {                                                                                     \
    ev_norm_heads(t, heads, hd, exponent, gain, epsilon, fraction_bits);                                           \
  }                                                                                                                \
  TARGET static void quantise(const int64_t *x, int32_t d, int32_t fraction_bits, int16_t *q, int32_t *e) {        \
    ev_quantise(x, d, fraction_bits, q, e);                                                                        \
  }                                                                                                                \
  TARGET static int32_t add_bias(                                                                                  \
      int32_t *t, int32_t n, int32_t exponent, const int32_t *bias, int32_t bias_exponent) {                       \
    return ev_add_bias(t, n, exponent, bias, bias_exponent);                                                       \
  }                                                                                                                \
  TARGET static void rope(                                                                                         \
      int32_t *t, int32_t heads, int32_t hd, int32_t pairs, const int32_t *cos, const int32_t *sin) {              \
    ev_rope(t, heads, hd, pairs, cos, sin);                                                                        \
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
  TARGET static void gated(                                                                                        \
      const int32_t *g, int32_t g_exponent, const int32_t *u, int32_t u_exponent, int32_t n,                       \
      const uint32_t *table_pairs, int16_t *q, int32_t *e, void *scratch) {                                        \
    ev_gated(g, g_exponent, u, u_exponent, n, table_pairs, q, e, scratch);                                         \
  }                                                                                                                \
  TARGET static void activate(                                                                                     \
      const int32_t *g, int32_t g_exponent, int32_t n, const uint32_t *table_pairs, int16_t *q, int32_t *e,        \
      void *scratch) {                                                                                             \
    ev_activate(g, g_exponent, n, table_pairs, q, e, scratch);                                                     \
  }                                                                                                                \
  TARGET static void residual_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {                     \
    ev_residual_add(x, t, d, exponent);                                                                            \
  }                                                                                                                \
  TARGET static void add_residuals(int64_t *x, const int64_t *z, int32_t d) { ev_add_residuals(x, z, d); }         \
  TARGET static void softcap(                                                                                      \
      int32_t *t, int32_t n, int32_t exponent, int32_t cap, const int32_t *tanh_table) {                           \
    ev_softcap(t, n, exponent, cap, tanh_table);                                                                   \
  }                                                                                                                \
  TARGET static void combine_experts(                                                                              \
      const int32_t *t, size_t t_stride, int32_t slots, int32_t n, const int32_t *shares, int32_t *out) {          \
    ev_combine_experts(t, t_stride, slots, n, shares, out);                                                        \
  }                                                                                                                \
  TARGET static void cap_scores(const ev_pass *p) {                                                                \
    ev_cap(p->scores, (size_t)p->queries * p->span, p->a->softcap, p->a->tanh_table);                              \
  }

#endif
