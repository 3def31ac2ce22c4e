// Operators that only some architectures have, on vectors.
#include "model_vectors.h"
#include "testing.h"

// An exponent: mostly where values stay, sometimes anywhere.
static int32_t any_exponent(void) { return (int32_t)(one_in(15) ? between(-9000, 9000) : between(-60, 60)); }

static void test_layer_norm(int32_t d, style xs, int bits, int epsilon_bits) {
  int64_t *x = room((size_t)d * 8), *expected = room((size_t)d * 8), *out = room((size_t)d * 8);
  int32_t *gain = room((size_t)d * 4), *bias = room((size_t)d * 4);
  void *scratch = room(ev_vector_scratch_bytes(d));
  const int32_t f_g = any_exponent(), f_b = any_exponent(), fraction_bits = (int32_t)between(8, 30);
  const int64_t epsilon = ((int64_t)1 << epsilon_bits) - (epsilon_bits > 0 ? between(0, 1) : 0);
  const int64_t limit = ((int64_t)1 << bits) - 1, level = one_in(3) ? value(UNIFORM, limit) / 2 : 0;
  const style gs = random_style(), bs = random_style();
  for (int32_t c = 0; c < d; c++) {
    x[c] = level == 0 ? value(xs, limit) : level + value(xs, limit / 2);
    gain[c] = (int32_t)value(gs, (1 << 23) - 1);
    bias[c] = (int32_t)value(bs, (1 << 23) - 1);
  }
  m_layer_norm(x, d, gain, f_g, epsilon, bias, f_b, fraction_bits, expected);
  for (int k = 0; k < set_count; k++) {
    const bool in_place = one_in(2);
    if (in_place) memcpy(out, x, (size_t)d * 8);
    sets[k]->layer_norm(in_place ? out : x, d, gain, f_g, epsilon, bias, f_b, fraction_bits, out, scratch);
    check(
        memcmp(out, expected, (size_t)d * 8) == 0, sets[k]->name,
        "layer_norm d=%" PRId64 " bits=%" PRId64 " epsilon=%" PRId64 " style=%" PRId64, d, bits, epsilon, xs);
  }
  FREE(x, expected, out, gain, bias, scratch);
}

static void test_norm_heads(int32_t heads, int32_t hd, style ts, int32_t exponent, int64_t epsilon) {
  const size_t n = (size_t)heads * (size_t)hd;
  int32_t *t = room(n * 4), *expected = room(n * 4), *got = room(n * 4), *gain = room((size_t)hd * 4);
  const int32_t fraction_bits = (int32_t)between(8, 30);
  const int64_t limit = ((int64_t)1 << (one_in(2) ? 30 : between(0, 30))) - 1;
  const style gs = random_style();
  for (size_t c = 0; c < n; c++) t[c] = (int32_t)value(ts, limit);
  for (int32_t c = 0; c < hd; c++) gain[c] = (int32_t)value(gs, (1 << 23) - 1);
  memcpy(expected, t, n * 4);
  m_norm_heads(expected, heads, hd, exponent, gain, epsilon, fraction_bits);
  for (int k = 0; k < set_count; k++) {
    memcpy(got, t, n * 4);
    sets[k]->norm_heads(got, heads, hd, exponent, gain, epsilon, fraction_bits);
    check(
        memcmp(got, expected, n * 4) == 0, sets[k]->name,
        "norm_heads heads=%" PRId64 " hd=%" PRId64 " exponent=%" PRId64 " epsilon=%" PRId64, heads, hd, exponent,
        epsilon);
  }
  FREE(t, expected, got, gain);
}

static void test_residuals(int32_t d, style xs, style zs, int bits) {
  int64_t *x = room((size_t)d * 8), *z = room((size_t)d * 8), *sum = room((size_t)d * 8), *got = room((size_t)d * 8);
  int16_t *expected = room((size_t)d * 2), *q = room((size_t)d * 2);
  const int64_t limit = ((int64_t)1 << 46) - 1;
  const int32_t fraction_bits = (int32_t)between(8, 30);
  for (int32_t c = 0; c < d; c++) {
    x[c] = value(xs, ((int64_t)1 << bits) - 1);
    z[c] = value(zs, limit);
    sum[c] = (int64_t)m_clamp((wide)x[c] + z[c], -limit, limit);
  }
  const int32_t e = m_quantise(x, d, 32767, expected) - fraction_bits;
  for (int k = 0; k < set_count; k++) {
    int32_t e_got;
    memset(q, 0xa5, (size_t)d * 2);
    sets[k]->quantise(x, d, fraction_bits, q, &e_got);
    check(
        e == e_got && memcmp(q, expected, (size_t)d * 2) == 0, sets[k]->name,
        "quantise d=%" PRId64 " bits=%" PRId64 " style=%" PRId64, d, bits, xs, 0);
    memcpy(got, x, (size_t)d * 8);
    sets[k]->add_residuals(got, z, d);
    check(memcmp(got, sum, (size_t)d * 8) == 0, sets[k]->name, "add_residuals d=%" PRId64, d, 0, 0, 0);
  }
  FREE(x, z, sum, got, expected, q);
}

static void test_add_bias(int32_t n, style ts, style bs, int32_t exponent, int32_t f) {
  int32_t *t = room((size_t)n * 4), *expected = room((size_t)n * 4), *got = room((size_t)n * 4);
  int32_t *bias = room((size_t)n * 4);
  for (int32_t c = 0; c < n; c++) {
    t[c] = (int32_t)value(ts, (1 << 30) - 1);
    bias[c] = (int32_t)value(bs, (1 << 23) - 1);
  }
  memcpy(expected, t, (size_t)n * 4);
  const int32_t e = m_add_bias(expected, n, exponent, bias, f);
  for (int k = 0; k < set_count; k++) {
    memcpy(got, t, (size_t)n * 4);
    const int32_t e_got = sets[k]->add_bias(got, n, exponent, bias, f);
    check(
        e == e_got && memcmp(got, expected, (size_t)n * 4) == 0, sets[k]->name,
        "add_bias n=%" PRId64 " exponent=%" PRId64 " f=%" PRId64, n, exponent, f, 0);
  }
  FREE(t, expected, got, bias);
}

static void test_activate(int32_t n, style gs, int32_t eg, const int32_t *table) {
  uint32_t pairs[4096];
  ev_pack_activation(table, pairs);
  int32_t *g = room((size_t)n * 4), expected_e, e;
  int16_t *expected = room((size_t)n * 2), *q = room((size_t)n * 2);
  void *scratch = room(ev_vector_scratch_bytes(n));
  for (int32_t c = 0; c < n; c++) g[c] = (int32_t)value(gs, (1 << 30) - 1);
  m_activate(g, eg, n, table, expected, &expected_e);
  for (int k = 0; k < set_count; k++) {
    memset(q, 0xa5, (size_t)n * 2);
    sets[k]->activate(g, eg, n, pairs, q, &e, scratch);
    check(
        e == expected_e && memcmp(q, expected, (size_t)n * 2) == 0, sets[k]->name,
        "activate n=%" PRId64 " exponent=%" PRId64 " style=%" PRId64, n, eg, gs, 0);
  }
  FREE(g, expected, q, scratch);
}

static void test_softcap(int32_t n, style ts, int32_t exponent, int32_t cap) {
  int32_t *t = room((size_t)n * 4), *expected = room((size_t)n * 4), *got = room((size_t)n * 4);
  for (int32_t c = 0; c < n; c++) t[c] = (int32_t)value(ts, (1 << 30) - 1);
  memcpy(expected, t, (size_t)n * 4);
  m_softcap(expected, n, exponent, cap, tanh_table);
  for (int k = 0; k < set_count; k++) {
    memcpy(got, t, (size_t)n * 4);
    sets[k]->softcap(got, n, exponent, cap, tanh_table);
    check(
        memcmp(got, expected, (size_t)n * 4) == 0, sets[k]->name,
        "softcap n=%" PRId64 " exponent=%" PRId64 " cap=%" PRId64, n, exponent, cap, 0);
  }
  FREE(t, expected, got);
}

static void test_experts(int32_t experts, int32_t slots, int32_t n, style ts, int32_t exponent, bool shares_of_all) {
  const size_t stride = (size_t)n + (size_t)between(0, 3);
  int32_t *router = room((size_t)experts * 4), *t = room((size_t)slots * stride * 4);
  int32_t *ids = room((size_t)slots * 4), *shares = room((size_t)slots * 4), *expected = room((size_t)n * 4);
  int32_t *expected_ids = room((size_t)slots * 4), *expected_shares = room((size_t)slots * 4);
  int32_t *out = room((size_t)n * 4);
  for (int32_t x = 0; x < experts; x++) router[x] = (int32_t)value(ts, (1 << 30) - 1);
  for (size_t c = 0; c < (size_t)slots * stride; c++) t[c] = (int32_t)value(ts, (1 << 30) - 1);
  m_route(router, experts, exponent, slots, shares_of_all, expected_ids, expected_shares);
  ev_route(router, experts, exponent, slots, shares_of_all, ids, shares);
  check(
      memcmp(ids, expected_ids, (size_t)slots * 4) == 0 && memcmp(shares, expected_shares, (size_t)slots * 4) == 0,
      "all", "route experts=%" PRId64 " slots=%" PRId64 " exponent=%" PRId64 " style=%" PRId64, experts, slots,
      exponent, ts);
  if (one_in(3)) {
    for (int32_t k = 0; k < slots; k++) expected_shares[k] = one_in(2) ? 1 << 24 : (int32_t)between(0, 1 << 24);
  }
  m_combine(t, stride, slots, n, expected_shares, expected);
  for (int k = 0; k < set_count; k++) {
    memset(out, 0xa5, (size_t)n * 4);
    sets[k]->combine_experts(t, stride, slots, n, expected_shares, out);
    check(
        memcmp(out, expected, (size_t)n * 4) == 0, sets[k]->name, "combine_experts slots=%" PRId64 " n=%" PRId64, slots,
        n, 0, 0);
  }
  FREE(router, t, ids, shares, expected, expected_ids, expected_shares, out);
}

static void random_operators(void) {
  const int32_t n = (int32_t)between(1, one_in(10) ? 300 : 70);
  int32_t wild[4097];
  for (int i = 0; i <= 4096; i += 1) wild[i] = (int32_t)(next_random() % 32769);
  test_layer_norm(n, random_style(), (int)between(1, 46), (int)between(0, one_in(2) ? 53 : 20));
  const int64_t epsilon = ((int64_t)1 << between(0, 53)) - (one_in(2) ? 0 : 1);
  test_norm_heads(
      (int32_t)between(1, 6), (int32_t)between(1, one_in(4) ? 256 : 40), random_style(),
      (int32_t)(one_in(15) ? between(-9000, 9000) : between(-70, 20)), epsilon < 1 ? 1 : epsilon);
  test_residuals(n, random_style(), random_style(), (int)between(0, 46));
  test_add_bias(n, random_style(), random_style(), any_exponent(), any_exponent());
  test_activate(n, random_style(), any_exponent(), one_in(4) ? wild : activation_tables[between(0, 2)]);
  test_softcap(n, random_style(), one_in(15) ? any_exponent() : (int32_t)between(-34, 2), any_cap());
  const int32_t experts = (int32_t)between(1, one_in(20) ? 1024 : 70), slots_max = experts < 64 ? experts : 64;
  test_experts(
      experts, (int32_t)between(1, one_in(3) ? slots_max : slots_max < 8 ? slots_max : 8), n, random_style(),
      one_in(15) ? any_exponent() : (int32_t)between(-34, 2), one_in(2));
}

void operator_tests(void) {
  for (int64_t i = 0; i < count; i++) random_operators();
  for (int32_t edge = 8; edge <= 1024; edge *= 2) {
    for (int32_t n = edge - 1; n <= edge + 1; n++) {
      for (int s = 0; s < STYLES; s++) {
        if (!sampled()) continue;
        const style each = (style)s;
        test_layer_norm(n, each, 46, 53);
        test_layer_norm(n, each, (int)between(22, 26), 0);
        test_norm_heads(2, n, each, (int32_t)between(-60, 10), ((int64_t)1 << 53) - 1);
        test_residuals(n, each, each, 46);
        for (int32_t exponent = -48; exponent <= 24; exponent += 6) {
          test_add_bias(n, each, random_style(), exponent, (int32_t)between(-30, 50));
          test_activate(n, each, exponent, activation_tables[s % 3]);
          test_softcap(n, each, exponent, any_cap());
        }
      }
    }
  }
  for (int s = 0; s < STYLES; s++) {
    if (!sampled()) continue;
    test_layer_norm(16384, (style)s, 46, 53);
    // The largest sum of squares, with the largest share of the epsilon.
    test_norm_heads(1, 16384, (style)s, -9000, ((int64_t)1 << 53) - 1);
    test_norm_heads(1, 16384, (style)s, (int32_t)between(-60, 10), ((int64_t)1 << 53) - 1);
  }
  for (int32_t n = -31 - 60; n <= 40; n++) test_norm_heads(1, 32, EXTREME, n, ((int64_t)1 << 53) - 1);
}
