// The operators on vectors of docs/spec/arithmetic.md, section 4, as in model.h.
#ifndef EV_TEST_MODEL_VECTORS_H
#define EV_TEST_MODEL_VECTORS_H

#include "model.h"

static inline void m_merge_heads(const int32_t *t, const int32_t *e, int32_t heads, int32_t hd, int16_t *q, int32_t *out) {
  int64_t *z = malloc((size_t)heads * (size_t)hd * 8);
  int32_t e_max = e[0];
  for (int32_t h = 0; h < heads; h++) e_max = e[h] > e_max ? e[h] : e_max;
  for (int32_t c = 0; c < heads * hd; c++) z[c] = (int64_t)m_rs(t[c], (int64_t)e_max - e[c / hd]);
  *out = e_max + m_quantise(z, heads * hd, 32767, q);
  free(z);
}

// Σ of 4.8 steps 1 and 2.
static inline wide m_sigma(int32_t g, int32_t eg, const int32_t *table) {
  wide x = m_sh_clamp(g, (int64_t)eg + 12, 65535), magnitude = x < 0 ? -x : x;
  int64_t i = (int64_t)(magnitude / 16), r = (int64_t)(magnitude % 16);
  wide sigma = table[i] + m_rs((wide)(table[i + 1] - table[i]) * r, 4);
  return x < 0 ? 32768 - sigma : sigma;
}

static inline void m_gated(
    const int32_t *g, int32_t eg, const int32_t *u, int32_t eu, int32_t n, const int32_t *table, int16_t *q,
    int32_t *e) {
  int64_t *v = malloc((size_t)n * 8);
  for (int32_t c = 0; c < n; c++) v[c] = (int64_t)(m_rs(g[c] * m_sigma(g[c], eg, table), 15) * u[c]);
  *e = eg + eu + m_quantise(v, n, 32767, q);
  free(v);
}

static inline void m_activate(
    const int32_t *g, int32_t eg, int32_t n, const int32_t *table, int16_t *q, int32_t *e) {
  int64_t *v = malloc((size_t)n * 8);
  for (int32_t c = 0; c < n; c++) v[c] = (int64_t)m_rs(g[c] * m_sigma(g[c], eg, table), 15);
  *e = eg + m_quantise(v, n, 32767, q);
  free(v);
}

static inline void m_add(int64_t *x, const int32_t *t, int32_t d, int32_t exponent) {
  const wide limit = ((wide)1 << 46) - 1;
  for (int32_t c = 0; c < d; c++) {
    x[c] = (int64_t)m_clamp(x[c] + m_sh_clamp(t[c], exponent, (wide)1 << 90), -limit, limit);
  }
}

static inline wide m_div(wide a, wide b) { return m_floor_div(2 * a + b, 2 * b); }

static inline void m_layer_norm(
    const int64_t *x, int32_t d, const int32_t *gain, int32_t f_g, int64_t epsilon, const int32_t *bias, int32_t f_b,
    int32_t fraction_bits, int64_t *out) {
  const wide limit = ((wide)1 << 46) - 1, each = (wide)1 << 48;
  wide total = 0;
  for (int32_t c = 0; c < d; c++) total += x[c];
  const int64_t mean = (int64_t)m_div(total, d);
  for (int32_t c = 0; c < d; c++) out[c] = x[c] - mean;
  int k1 = m_first_shift(out, d);
  m_scale_to_length(out, d, k1, epsilon / ((wide)1 << (2 * k1)));
  for (int32_t c = 0; c < d; c++) {
    const wide scaled = m_sh_clamp((wide)out[c] * gain[c], (int64_t)fraction_bits - 24 - f_g, each);
    out[c] = (int64_t)m_clamp(scaled + m_sh_clamp(bias[c], (int64_t)fraction_bits - f_b, each), -limit, limit);
  }
}

static inline void m_norm_heads(
    int32_t *t, int32_t heads, int32_t hd, int32_t e, const int32_t *gain, int64_t epsilon, int32_t fraction_bits) {
  const wide limit = ((wide)1 << 30) - 1;
  int64_t *u = malloc((size_t)hd * 8);
  for (int32_t h = 0; h < heads; h++) {
    for (int32_t c = 0; c < hd; c++) u[c] = t[h * hd + c];
    const int k1 = m_first_shift(u, hd);
    // floor, where SH would round.
    const int64_t n = -2 * ((int64_t)e + k1 + fraction_bits);
    const wide most = ((wide)1 << 62) - 1;
    const wide added = n >= 0 ? m_sh_clamp(epsilon, n, most) : n < -100 ? 0 : epsilon / ((wide)1 << -n);
    m_scale_to_length(u, hd, k1, added);
    for (int32_t c = 0; c < hd; c++) {
      t[h * hd + c] = (int32_t)m_clamp(m_rs((wide)u[c] * gain[c], 17), -limit, limit);
    }
  }
  free(u);
}

static inline int32_t m_add_bias(int32_t *t, int32_t n, int32_t e, const int32_t *bias, int32_t f) {
  const wide limit = ((wide)1 << 30) - 1;
  const int32_t g = e > -f - 6 ? e : -f - 6;
  for (int32_t c = 0; c < n; c++) {
    const wide b = m_sh_clamp(bias[c], (int64_t)-f - g, (wide)1 << 90);
    t[c] = (int32_t)m_clamp(m_rs(t[c], (int64_t)g - e) + b, -limit, limit);
  }
  return g;
}

static inline void m_combine(
    const int32_t *t, size_t stride, int32_t slots, int32_t n, const int32_t *shares, int32_t *out) {
  const wide limit = ((wide)1 << 30) - 1;
  for (int32_t c = 0; c < n; c++) {
    wide sum = 0;
    for (int32_t k = 0; k < slots; k++) sum += m_rs((wide)t[(size_t)k * stride + (size_t)c] * shares[k], 24);
    out[c] = (int32_t)m_clamp(sum, -limit, limit);
  }
}

static inline void m_softcap(int32_t *t, int32_t n, int32_t e, int32_t cap, const int32_t *tanh_table) {
  const wide limit = ((wide)1 << 30) - 1;
  for (int32_t c = 0; c < n; c++) {
    t[c] = (int32_t)m_cap((int64_t)m_sh_clamp(t[c], (int64_t)e + 16, limit), cap, tanh_table);
  }
}

static inline void m_route(
    const int32_t *t, int32_t experts, int32_t e, int32_t slots, int shares_of_all, int32_t *ids, int32_t *shares) {
  const wide limit = ((wide)1 << 30) - 1;
  int64_t *p = malloc((size_t)experts * 8), b_max = INT64_MIN;
  wide sum = 0;
  for (int32_t k = 0; k < slots; k++) {
    ids[k] = -1;
    for (int32_t x = 0; x < experts; x++) {
      int taken = 0;
      for (int32_t i = 0; i < k; i++) taken |= ids[i] == x;
      if (!taken && (ids[k] < 0 || t[x] > t[ids[k]])) ids[k] = x;
    }
  }
  for (int32_t x = 0; x < experts; x++) {
    p[x] = (int64_t)m_sh_clamp(t[x], (int64_t)e + 12, limit);
    if (p[x] > b_max) b_max = p[x];
  }
  for (int32_t x = 0; x < experts; x++) {
    const int64_t delta = b_max - p[x];
    p[x] = (int64_t)m_rs(m_exp2(delta % 4096) * 512, delta / 4096);
    if (shares_of_all) sum += p[x];
  }
  for (int32_t k = 0; k < slots && !shares_of_all; k++) sum += p[ids[k]];
  for (int32_t k = 0; k < slots; k++) shares[k] = (int32_t)m_div((wide)p[ids[k]] << 24, sum);
  free(p);
}

#endif
