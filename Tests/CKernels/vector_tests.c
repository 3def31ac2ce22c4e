// Kernels that do the same to every element.
#include <math.h>

#include "model_vectors.h"
#include "testing.h"

static void test_rms_norm(int32_t d, style xs, int bits, style gs, int epsilon_bits) {
  int64_t *x = room((size_t)d * 8);
  int32_t *gain = room((size_t)d * 4), expected_e = 0, e, f = (int32_t)between(-256, 256);
  int16_t *expected = room((size_t)d * 2), *q = room((size_t)d * 2);
  void *scratch = room(ev_vector_scratch_bytes(d));
  const int64_t epsilon = ((int64_t)1 << epsilon_bits) - (epsilon_bits > 0 ? between(0, 1) : 0);
  for (int32_t c = 0; c < d; c++) {
    x[c] = value(xs, ((int64_t)1 << bits) - 1);
    gain[c] = (int32_t)value(gs, (1 << 23) - 1);
  }
  m_rms_norm(x, d, gain, f, epsilon, expected, &expected_e);
  for (int k = 0; k < set_count; k++) {
    memset(q, 0xa5, (size_t)d * 2);
    sets[k]->rms_norm(x, d, gain, f, epsilon, q, &e, scratch);
    check(
        e == expected_e && memcmp(q, expected, (size_t)d * 2) == 0, sets[k]->name,
        "rms_norm d=%" PRId64 " bits=%" PRId64 " epsilon=%" PRId64 " style=%" PRId64, d, bits, epsilon, xs);
  }
  FREE(x, gain, expected, q, scratch);
}

static void test_gated(int32_t n, style gs, int32_t eg, const int32_t *table) {
  uint32_t pairs[4096];
  ev_pack_activation(table, pairs);
  int32_t *g = room((size_t)n * 4), *u = room((size_t)n * 4), expected_e, e, eu = (int32_t)between(-300, 300);
  int16_t *expected = room((size_t)n * 2), *q = room((size_t)n * 2);
  void *scratch = room(ev_vector_scratch_bytes(n));
  const style us = random_style();
  for (int32_t c = 0; c < n; c++) {
    g[c] = (int32_t)value(gs, (1 << 30) - 1);
    u[c] = (int32_t)value(us, (1 << 30) - 1);
  }
  m_gated(g, eg, u, eu, n, table, expected, &expected_e);
  for (int k = 0; k < set_count; k++) {
    memset(q, 0xa5, (size_t)n * 2);
    sets[k]->gated(g, eg, u, eu, n, pairs, q, &e, scratch);
    check(
        e == expected_e && memcmp(q, expected, (size_t)n * 2) == 0, sets[k]->name,
        "gated n=%" PRId64 " exponent=%" PRId64 " style=%" PRId64, n, eg, gs, 0);
  }
  FREE(g, u, expected, q, scratch);
}

static void test_heads(int32_t heads, int32_t hd) {
  const size_t n = (size_t)heads * (size_t)hd;
  int32_t *t = room(n * 4), *rotated = room(n * 4), *got = room(n * 4), *e_heads = room((size_t)heads * 4);
  const int32_t turning = one_in(3) ? (int32_t)between(0, hd / 2) : hd / 2;
  int32_t *cosine = room((size_t)turning * 4), *sine = room((size_t)turning * 4), *e_got = room((size_t)heads * 4);
  int16_t *expected = room(n * 2), *q = room(n * 2);
  void *scratch = room(ev_vector_scratch_bytes((int32_t)n));
  const style ts = random_style();
  for (size_t c = 0; c < n; c++) t[c] = (int32_t)value(ts, (1 << 30) - 1);
  for (int32_t i = 0; i < turning; i++) {
    const double turn = (double)between(0, 65535) / 65536 * 6.283185307179586;
    cosine[i] = (int32_t)lround(32768 * cos(turn));
    sine[i] = (int32_t)lround(32768 * sin(turn));
    if (one_in(10)) cosine[i] = one_in(2) ? 32768 : -32768, sine[i] = 0;
    if (one_in(10)) cosine[i] = 23170, sine[i] = one_in(2) ? 23170 : -23170;
  }
  memcpy(rotated, t, n * 4);
  m_rope(rotated, heads, hd, turning, cosine, sine);
  const int32_t limit = (1 << between(one_in(4) ? 1 : 10, 12)) - 1, exponent = (int32_t)between(-500, 500);
  int32_t expected_e[64], merged_e, e;
  for (int32_t h = 0; h < heads; h++) {
    int64_t v[256];
    for (int32_t c = 0; c < hd; c++) v[c] = rotated[h * hd + c];
    expected_e[h] = exponent + m_quantise(v, hd, limit, expected + h * hd);
    const int64_t spread = one_in(5) ? 1 << 20 : one_in(2) ? 40 : 3;
    e_heads[h] = (int32_t)between(-spread, spread);
  }
  for (int k = 0; k < set_count; k++) {
    memcpy(got, t, n * 4);
    sets[k]->rope(got, heads, hd, turning, cosine, sine);
    check(memcmp(got, rotated, n * 4) == 0, sets[k]->name, "rope heads=%" PRId64 " hd=%" PRId64, heads, hd, 0, 0);
    memset(q, 0xa5, n * 2);
    sets[k]->quantise_heads(rotated, heads, hd, limit, exponent, q, e_got);
    check(
        memcmp(q, expected, n * 2) == 0 && memcmp(e_got, expected_e, (size_t)heads * 4) == 0, sets[k]->name,
        "quantise_heads heads=%" PRId64 " hd=%" PRId64 " limit=%" PRId64, heads, hd, limit, 0);
  }
  for (size_t c = 0; c < n; c++) t[c] = (int32_t)value(ts, (1 << 29) - 1);
  m_merge_heads(t, e_heads, heads, hd, expected, &merged_e);
  for (int k = 0; k < set_count; k++) {
    memset(q, 0xa5, n * 2);
    sets[k]->merge_heads(t, e_heads, heads, hd, q, &e, scratch);
    check(
        e == merged_e && memcmp(q, expected, n * 2) == 0, sets[k]->name, "merge_heads heads=%" PRId64 " hd=%" PRId64,
        heads, hd, 0, 0);
  }
  FREE(t, rotated, got, e_heads, cosine, sine, e_got, expected, q, scratch);
}

static void test_add(int32_t d, style xs, style ts, int32_t exponent) {
  int64_t *x = room((size_t)d * 8), *expected = room((size_t)d * 8), *got = room((size_t)d * 8);
  int32_t *t = room((size_t)d * 4);
  for (int32_t c = 0; c < d; c++) {
    expected[c] = x[c] = value(xs, ((int64_t)1 << 46) - 1);
    t[c] = (int32_t)value(ts, (1 << 30) - 1);
  }
  m_add(expected, t, d, exponent);
  for (int k = 0; k < set_count; k++) {
    memcpy(got, x, (size_t)d * 8);
    sets[k]->residual_add(got, t, d, exponent);
    check(
        memcmp(got, expected, (size_t)d * 8) == 0, sets[k]->name, "residual_add d=%" PRId64 " exponent=%" PRId64, d,
        exponent, 0, 0);
  }
  free(x), free(expected), free(got), free(t);
}

void vector_tests(void) {
  int32_t wild[4097];
  for (int i = 0; i <= 4096; i++) wild[i] = (int32_t)between(0, 32768);
  for (int64_t i = 0; i < count; i++) {
    const int32_t n = (int32_t)between(1, one_in(10) ? 300 : 70);
    test_rms_norm(n, random_style(), (int)between(0, 46), random_style(), (int)between(0, one_in(2) ? 53 : 20));
    const int32_t exponent = (int32_t)(one_in(20) ? between(-9000, 9000) : between(-60, 60));
    test_gated(n, random_style(), exponent, one_in(4) ? wild : activation_tables[between(0, 2)]);
    test_add(n, random_style(), random_style(), exponent);
    test_heads((int32_t)between(1, one_in(8) ? 32 : 6), 2 * (int32_t)between(1, one_in(4) ? 128 : 20));
  }
  for (int32_t edge = 8; edge <= 1024; edge *= 2) {
    for (int32_t n = edge - 1; n <= edge + 1; n++) {
      for (int s = 0; s < STYLES; s++) {
        if (!sampled()) continue;
        test_rms_norm(n, (style)s, 46, EXTREME, 53);
        test_rms_norm(n, (style)s, (int)between(22, 26), POSITIVE, 0);
        for (int32_t exponent = -40; exponent <= 20; exponent += 4) test_gated(n, (style)s, exponent, activation_tables[s % 3]);
        for (int32_t exponent = -64; exponent <= 64; exponent += 8) test_add(n, (style)s, random_style(), exponent);
      }
    }
  }
  for (int s = 0; s < STYLES; s++) {
    if (sampled()) test_rms_norm(16384, (style)s, 46, random_style(), 53);
  }
  for (int32_t hd = 2; hd <= 256; hd += 2) test_heads((int32_t)between(1, 3), hd);
}
