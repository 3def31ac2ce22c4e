// The vector kernels of the reference set; included by scalar.c.
#ifndef EV_SCALAR_VECTORS_H
#define EV_SCALAR_VECTORS_H

#include "spec.h"

// Q(v, limit).
static int32_t quantise_to(const int64_t *v, int32_t n, int32_t limit, int16_t *q) {
  uint64_t m = 0;
  for (int32_t c = 0; c < n; c++) {
    if (ev_magnitude(v[c]) > m) m = ev_magnitude(v[c]);
  }
  const int32_t k = ev_quantising_shift(m, (uint64_t)limit);
  for (int32_t c = 0; c < n; c++) q[c] = (int16_t)ev_rs(v[c], k);
  return k;
}

// n of 4.2 step 4 in place of x.
static void scale_to_length(int64_t *x, int32_t d, int64_t epsilon) {
  uint64_t m = 0;
  for (int32_t c = 0; c < d; c++) {
    if (ev_magnitude(x[c]) > m) m = ev_magnitude(x[c]);
  }
  const int32_t k1 = ev_max(0, ev_bitlen(m) - 24);
  uint64_t sum = (uint64_t)(epsilon >> (2 * k1));
  for (int32_t c = 0; c < d; c++) {
    x[c] = ev_rs(x[c], k1);
    sum += (uint64_t)(x[c] * x[c]);
  }
  int32_t a;
  const int64_t r = sum == 0 ? 0 : ev_reciprocal_root(sum, &a);
  for (int32_t c = 0; c < d && sum != 0; c++) x[c] = ev_sh_saturating(x[c] * r, 9 - a, 25);
}

static void rms_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, int16_t *q,
    int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [d]
  memcpy(v, x, (size_t)d * sizeof(int64_t));
  scale_to_length(v, d, epsilon);
  for (int32_t c = 0; c < d; c++) v[c] *= gain[c];
  *e = quantise_to(v, d, 32767, q) - 24 - gain_exponent;
}

static void layer_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t gain_exponent, int64_t epsilon, const int32_t *bias,
    int32_t bias_exponent, int32_t fraction_bits, int64_t *out, void *scratch) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  int64_t *v = (int64_t *)scratch;  // [d]
  int64_t total = 0;
  for (int32_t c = 0; c < d; c++) total += x[c];
  for (int32_t c = 0; c < d; c++) v[c] = x[c] - ev_divided(total, d);
  scale_to_length(v, d, epsilon);
  for (int32_t c = 0; c < d; c++) {
    const int64_t scaled = ev_sh_saturating(v[c] * gain[c], fraction_bits - 24 - gain_exponent, 48);
    out[c] = ev_clamp(scaled + ev_sh_saturating(bias[c], fraction_bits - bias_exponent, 48), -x_max, x_max);
  }
}

static void norm_heads(
    int32_t *t, int32_t heads, int32_t hd, int32_t exponent, const int32_t *gain, int64_t epsilon,
    int32_t fraction_bits) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  for (int32_t h = 0; h < heads; h++) {
    int32_t *head = t + (size_t)h * (size_t)hd;
    uint64_t m = 0;
    for (int32_t c = 0; c < hd; c++) {
      if (ev_magnitude(head[c]) > m) m = ev_magnitude(head[c]);
    }
    const int32_t k1 = ev_max(0, ev_bitlen(m) - 24);
    uint64_t sum = ev_head_epsilon(epsilon, exponent + k1 + fraction_bits);
    for (int32_t c = 0; c < hd; c++) sum += (uint64_t)(ev_rs(head[c], k1) * ev_rs(head[c], k1));
    if (sum == 0) sum = 1;
    int32_t a;
    const int64_t r = ev_reciprocal_root(sum, &a);
    for (int32_t c = 0; c < hd; c++) {
      const int64_t n = ev_sh_saturating(ev_rs(head[c], k1) * r, 9 - a, 25);
      head[c] = (int32_t)ev_clamp(ev_rs(n * gain[c], 17), -limit, limit);
    }
  }
}

static void quantise(const int64_t *x, int32_t d, int32_t fraction_bits, int16_t *q, int32_t *e) {
  *e = quantise_to(x, d, 32767, q) - fraction_bits;
}

static int32_t add_bias(int32_t *t, int32_t n, int32_t exponent, const int32_t *bias, int32_t bias_exponent) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  const int32_t g = ev_max(exponent, -bias_exponent - 6);
  for (int32_t c = 0; c < n; c++) {
    const int64_t b = ev_sh_saturating(bias[c], -bias_exponent - g, 31);
    t[c] = (int32_t)ev_clamp(ev_rs(t[c], g - exponent) + b, -limit, limit);
  }
  return g;
}

static void rope(
    int32_t *t, int32_t heads, int32_t hd, int32_t pairs, const int32_t *cos, const int32_t *sin) {
  for (int32_t h = 0; h < heads; h++) {
    int32_t *head = t + (size_t)h * (size_t)hd;
    for (int32_t i = 0; i < pairs; i++) {
      const int64_t a = head[i], b = head[i + pairs];
      head[i] = (int32_t)ev_rs(a * cos[i] - b * sin[i], 15);
      head[i + pairs] = (int32_t)ev_rs(b * cos[i] + a * sin[i], 15);
    }
  }
}

static void quantise_heads(
    const int32_t *t, int32_t heads, int32_t hd, int32_t limit, int32_t exponent, int16_t *q, int32_t *e) {
  for (int32_t h = 0; h < heads; h++) {
    int64_t v[256];
    for (int32_t c = 0; c < hd; c++) v[c] = t[(size_t)h * (size_t)hd + (size_t)c];
    e[h] = exponent + quantise_to(v, hd, limit, q + (size_t)h * (size_t)hd);
  }
}

static void merge_heads(
    const int32_t *t, const int32_t *exponent, int32_t heads, int32_t hd, int16_t *q, int32_t *e, void *scratch) {
  int64_t *z = (int64_t *)scratch;  // [heads][hd]
  int32_t exponent_max = exponent[0];
  for (int32_t h = 1; h < heads; h++) exponent_max = ev_max(exponent_max, exponent[h]);
  for (int32_t h = 0; h < heads; h++) {
    for (size_t c = (size_t)h * (size_t)hd; c < (size_t)(h + 1) * (size_t)hd; c++) {
      z[c] = ev_rs(t[c], exponent_max - exponent[h]);
    }
  }
  *e = exponent_max + quantise_to(z, heads * hd, 32767, q);
}

// Σ of 4.8 steps 1 and 2.
static int32_t sigma_of(int32_t g, int32_t g_exponent, const uint32_t *table_pairs) {
  const int32_t x = (int32_t)ev_clamp(ev_sh_saturating(g, g_exponent + 12, 17), -65535, 65535);
  const int32_t magnitude = x < 0 ? -x : x;
  const uint32_t pair = table_pairs[magnitude / 16];
  const int32_t low = (int32_t)(pair & 0xffff), high = (int32_t)(pair >> 16);
  const int32_t sigma = low + (int32_t)ev_rs((high - low) * (magnitude % 16), 4);
  return x < 0 ? 32768 - sigma : sigma;
}

static void gated(
    const int32_t *g, int32_t g_exponent, const int32_t *u, int32_t u_exponent, int32_t n,
    const uint32_t *table_pairs, int16_t *q, int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [n]
  for (int32_t c = 0; c < n; c++) {
    v[c] = ev_rs((int64_t)g[c] * sigma_of(g[c], g_exponent, table_pairs), 15) * u[c];
  }
  *e = g_exponent + u_exponent + quantise_to(v, n, 32767, q);
}

static void activate(
    const int32_t *g, int32_t g_exponent, int32_t n, const uint32_t *table_pairs, int16_t *q, int32_t *e,
    void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [n]
  for (int32_t c = 0; c < n; c++) v[c] = ev_rs((int64_t)g[c] * sigma_of(g[c], g_exponent, table_pairs), 15);
  *e = g_exponent + quantise_to(v, n, 32767, q);
}

static void residual_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) x[c] = ev_clamp(x[c] + ev_sh_saturating(t[c], exponent, 48), -x_max, x_max);
}

static void add_residuals(int64_t *x, const int64_t *z, int32_t d) {
  const int64_t x_max = ((int64_t)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) x[c] = ev_clamp(x[c] + z[c], -x_max, x_max);
}

static void combine_experts(
    const int32_t *t, size_t t_stride, int32_t slots, int32_t n, const int32_t *shares, int32_t *out) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  for (int32_t c = 0; c < n; c++) {
    int64_t sum = 0;
    for (int32_t k = 0; k < slots; k++) sum += ev_rs((int64_t)t[(size_t)k * t_stride + (size_t)c] * shares[k], 24);
    out[c] = (int32_t)ev_clamp(sum, -limit, limit);
  }
}

// CAP of 4.16.
static int32_t capped(int32_t x, int32_t cap, const int32_t *tanh_table) {
  const uint64_t z_max = (1 << 19) - 1, product = ev_magnitude(x) * (((uint64_t)1 << 44) / (uint64_t)cap);
  const int32_t z = (int32_t)(product >> 28 < z_max ? product >> 28 : z_max), i = z / 128, r = z % 128;
  const int64_t tau = tanh_table[i] + ev_rs((int64_t)(tanh_table[i + 1] - tanh_table[i]) * r, 7);
  const int32_t magnitude = (int32_t)ev_rs(cap * tau, 24);
  return x < 0 ? -magnitude : magnitude;
}

static void softcap(int32_t *t, int32_t n, int32_t exponent, int32_t cap, const int32_t *tanh_table) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  for (int32_t c = 0; c < n; c++) {
    t[c] = capped((int32_t)ev_clamp(ev_sh_saturating(t[c], exponent + 16, 31), -limit, limit), cap, tanh_table);
  }
}

#endif
