// Sections 4.2, 4.11 and 4.12: vectors scaled to a length.
#ifndef EV_NORMS_H
#define EV_NORMS_H

#include "vectors.h"

// SH(u * r, 9 - a) of 4.2 step 4 as a product and a rounding right shift.
typedef struct {
  int64_t factor;  // below 2^25
  int64_t half;
  int32_t right;
} ev_unit;

EV_INLINE ev_unit ev_unit_of(uint64_t sum) {
  ev_unit unit;
  int32_t a = 9;
  const int64_t r = sum == 0 ? 0 : ev_reciprocal_root(sum, &a);
  unit.factor = r << ev_max(0, 9 - a);
  unit.right = ev_max(0, a - 9);
  unit.half = ev_half(unit.right);
  return unit;
}

EV_INLINE int64_t ev_united(int64_t u, ev_unit unit) { return (ev_multiply32(u, unit.factor) + unit.half) >> unit.right; }

// u of 4.2 step 1 in place of x. Returns S.
EV_INLINE uint64_t ev_sum_of_squares(const int64_t *x, int32_t d, int64_t epsilon, int64_t *u) {
  const int32_t k1 = ev_max(0, ev_bitlen(ev_max_magnitude64(x, d)) - 24);
  const int64_t half = ev_half(k1);
  uint64_t sum = (uint64_t)(epsilon >> (2 * k1));
  for (int32_t c = 0; c < d; c++) {
    const int64_t reduced = (x[c] + half) >> k1;
    sum += (uint64_t)ev_multiply32(reduced, reduced);
    u[c] = reduced;
  }
  return sum;
}

EV_INLINE void ev_rms_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, int16_t *q,
    int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [d]
  const ev_unit unit = ev_unit_of(ev_sum_of_squares(x, d, epsilon, v));
  int64_t m = 0;
  for (int32_t c = 0; c < d; c++) {
    const int64_t product = ev_multiply32(ev_united(v[c], unit), gain[c]);
    const int64_t magnitude = product < 0 ? -product : product;
    m = magnitude > m ? magnitude : m;
    v[c] = product;
  }
  *e = ev_quantise64(v, d, (uint64_t)m, q) - 24 - gain_exponent;
}

EV_INLINE void ev_layer_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, const int32_t *bias,
    int32_t bias_exponent, int32_t fraction_bits, int64_t *out, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [d]
  int64_t total = 0;
  for (int32_t c = 0; c < d; c++) total += x[c];
  const int64_t mean = ev_divided(total, d);
  for (int32_t c = 0; c < d; c++) v[c] = x[c] - mean;
  const ev_unit unit = ev_unit_of(ev_sum_of_squares(v, d, epsilon, v));
  const ev_shift of_product = ev_shift_by(fraction_bits - 24 - gain_exponent, 48);
  const ev_shift of_bias = ev_shift_by(fraction_bits - bias_exponent, 48);
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) {
    const int64_t product = ev_multiply32(ev_united(v[c], unit), gain[c]);
    const int64_t sum = ev_shifted(product, of_product) + ev_shifted(bias[c], of_bias);
    out[c] = sum > x_max ? x_max : sum < -x_max ? -x_max : sum;
  }
}

EV_INLINE void ev_norm_heads(
    int32_t *t, int32_t heads, int32_t hd, int32_t exponent, const int32_t *gain, int64_t epsilon,
    int32_t fraction_bits) {
  const int64_t t_max = ((int64_t)1 << 30) - 1;
  for (int32_t h = 0; h < heads; h++) {
    int32_t *head = t + (size_t)h * (size_t)hd;
    const int32_t k1 = ev_max(0, ev_bitlen(ev_max_magnitude32(head, hd)) - 24);
    const int32_t half = (int32_t)ev_half(k1);  // |t| < 2^30, so that k1 <= 6
    uint64_t sum = ev_head_epsilon(epsilon, exponent + k1 + fraction_bits);
    for (int32_t c = 0; c < hd; c++) {
      const int32_t u = (head[c] + half) >> k1;
      sum += (uint64_t)ev_multiply32(u, u);
      head[c] = u;
    }
    const ev_unit unit = ev_unit_of(sum == 0 ? 1 : sum);
    for (int32_t c = 0; c < hd; c++) {
      const int64_t v = (ev_multiply32(ev_united(head[c], unit), gain[c]) + (1 << 16)) >> 17;
      head[c] = (int32_t)(v > t_max ? t_max : v < -t_max ? -t_max : v);
    }
  }
}

#endif
