// linear4 and linear4m.
#include "testing.h"

// V of section 3.
static int64_t stored(uint16_t g) {
  const int64_t magnitude = (int64_t)(g % 2048) << (g / 2048 % 16);
  return g >= 32768 ? -magnitude : magnitude;
}

// 16 bits whose value is at most 2047 * 2^exponent_max.
static uint16_t any_multiplier(style s, int exponent_max) {
  switch (s) {
    case ZERO: return (uint16_t)(between(0, 31) << 11);
    case EXTREME: return (uint16_t)(2047 | exponent_max << 11 | (one_in(2) ? 0x8000 : 0));
    case POSITIVE: return (uint16_t)(2047 | exponent_max << 11);
    case SMALL: return (uint16_t)(between(0, 2047) | (one_in(2) ? 0x8000 : 0));
    default: return (uint16_t)(between(0, 2047) | between(0, exponent_max) << 11 | (one_in(2) ? 0x8000 : 0));
  }
}

static uint8_t nibble(style s) {
  switch (s) {
    case ZERO: return 8;
    case EXTREME: return one_in(2) ? 15 : 0;
    case POSITIVE: return 0;
    default: return (uint8_t)between(0, 15);
  }
}

typedef struct {
  int32_t rows, in, out;
  bool minimums;
  style us, gs, qs, ms;
} linear4_case;

static void test_linear4(linear4_case a) {
  const int32_t in = a.in, out = a.out, rows = a.rows;
  const int32_t in_padded = ev_padded_in(in), out_padded = ev_padded_out(out), blocks = out_padded / 16;
  const size_t stride = ev_plane_bytes(in_padded, true) + (size_t)(between(0, 3) * 8);
  const size_t t_stride = (size_t)out + (size_t)between(0, 3), weights = (size_t)out * (size_t)in;
  const size_t t_bytes = t_stride * (size_t)rows * 4, packed_bytes = ev_linear4_bytes(out, in, a.minimums);
  uint8_t *u = room(weights / 2), *packed = room(packed_bytes), *planes = room(stride * (size_t)rows);
  uint16_t *g = room(weights / 16), *b = room(weights / 16);
  int64_t *offset = room((size_t)out_padded * 8), *w = room(weights * 8), weight_max = 0;
  uint32_t *multiplier = calloc((size_t)out_padded, 4), multiplier_max = 0;
  int16_t *q = room((size_t)rows * (size_t)in * 2);
  int32_t *expected = room(t_bytes), *t = room(t_bytes);
  for (size_t i = 0; i < weights / 32; i++) {
    // With minimums, 15 G - B has to stay within 2^30.
    g[i] = any_multiplier(a.gs, a.minimums ? 14 : 15);
    b[i] = any_multiplier(a.gs == ZERO ? UNIFORM : a.gs, 14);
    for (size_t k = 0; k < 32; k += 2) {
      const uint8_t low = nibble(a.us), high = nibble(a.us);
      u[i * 16 + k / 2] = (uint8_t)(low | high << 4);
      w[i * 32 + k] = a.minimums ? low * stored(g[i]) - 16 * stored(b[i]) : (low - 8) * stored(g[i]);
      w[i * 32 + k + 1] = a.minimums ? high * stored(g[i]) - 16 * stored(b[i]) : (high - 8) * stored(g[i]);
    }
    const int64_t low = a.minimums ? -16 * stored(b[i]) : -8 * stored(g[i]);
    const int64_t high = a.minimums ? 15 * stored(g[i]) - 16 * stored(b[i]) : 0;
    const int64_t largest = llabs(low) > llabs(high) ? llabs(low) : llabs(high);
    if (largest > weight_max) weight_max = largest;
  }
  for (int32_t j = 0; j < out; j++) {
    multiplier[j] = (uint32_t)llabs(value(a.ms, (1 << 24) - 1));
    if (multiplier[j] > multiplier_max) multiplier_max = multiplier[j];
  }
  for (int64_t i = 0; i < (int64_t)rows * in; i++) q[i] = (int16_t)value(a.qs, 32767);
  const int32_t cut = (int32_t)between(0, blocks);
  const uint16_t *minimums = a.minimums ? b : NULL;
  const int64_t found1 = ev_pack_linear4(u, g, minimums, out, in, 0, cut, packed, offset);
  const int64_t found2 = ev_pack_linear4(u, g, minimums, out, in, cut, blocks, packed, offset);
  check((found1 > found2 ? found1 : found2) == weight_max, "all", "weight_max in=%" PRId64, in, 0, 0, 0);
  ev_linear4 weight = {packed, offset, multiplier, in, in_padded, out, out_padded, 0, 0, a.minimums};
  ev_linear4_shifts(in, weight_max, multiplier_max, &weight.shift1, &weight.shift2);
  int32_t s1, s2;
  m_linear4_shifts(in, weight_max, multiplier_max, &s1, &s2);
  check(
      s1 == weight.shift1 && s2 == weight.shift2, "all",
      "linear4 shifts in=%" PRId64 " Wmax=%" PRId64 " Mmax=%" PRId64, in, weight_max, multiplier_max, 0);
  memset(expected, 0xa5, t_bytes);
  for (int32_t r = 0; r < rows; r++) {
    m_linear4(w, multiplier, out, in, s1, s2, q + (size_t)r * (size_t)in, expected + (size_t)r * t_stride);
  }
  for (int k = 0; k < set_count; k++) {
    memset(t, 0xa5, t_bytes);
    for (int32_t r = 0; r < rows; r++) {
      sets[k]->prepare(q + (size_t)r * (size_t)in, in, in_padded, true, planes + (size_t)r * stride);
    }
    const int32_t split = (int32_t)between(0, blocks);
    sets[k]->linear4(&weight, planes, stride, rows, 0, split, t, t_stride);
    sets[k]->linear4(&weight, planes, stride, rows, split, blocks, t, t_stride);
    check(
        memcmp(t, expected, t_bytes) == 0, sets[k]->name,
        a.minimums ? "linear4m rows=%" PRId64 " in=%" PRId64 " out=%" PRId64 " split=%" PRId64
                   : "linear4 rows=%" PRId64 " in=%" PRId64 " out=%" PRId64 " split=%" PRId64,
        rows, in, out, split);
  }
  const int32_t token = (int32_t)between(0, out - 1);
  // Products reach 2^77: shifts around that, and far from it.
  const int32_t exponent = (int32_t)(one_in(10) ? between(-5000, 5000) : between(-80, 50));
  const uint32_t scale = one_in(2) ? 1 : (uint32_t)between(1, (1 << 22) - 1);
  int64_t *x = room((size_t)in * 8);
  ev_embed_linear4(&weight, token, scale, exponent, x);
  const wide limit = ((wide)1 << 46) - 1;
  bool same = true;
  for (int32_t i = 0; i < in; i++) {
    const wide product = (wide)w[(size_t)token * (size_t)in + (size_t)i] * multiplier[token] * scale;
    same &= x[i] == m_sh_clamp(product, exponent, limit);
  }
  check(same, "all", "embed_linear4 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  FREE(x, u, packed, planes, g, b, offset, w, multiplier, q, expected, t);
}

// Where the shifts change: products just at and beside powers of two.
static void shift4_tests(void) {
  for (int64_t i = 0; i < count; i++) {
    const int32_t in = 32 * (int32_t)(one_in(3) ? 2047 : between(1, 2047));
    int64_t weight_max = ((int64_t)1 << between(0, 30)) + between(-2, 2);
    if (one_in(2)) weight_max = ((int64_t)1 << between(38, 61)) / 32767 / in + between(-1, 1);
    if (weight_max < 0 || weight_max > 1 << 30) continue;
    const uint32_t multiplier_max = (uint32_t)llabs(value(random_style(), (1 << 24) - 1));
    int32_t s1, s2, e1, e2;
    ev_linear4_shifts(in, weight_max, multiplier_max, &s1, &s2);
    m_linear4_shifts(in, weight_max, multiplier_max, &e1, &e2);
    check(
        s1 == e1 && s2 == e2, "all", "linear4 shifts in=%" PRId64 " Wmax=%" PRId64 " Mmax=%" PRId64, in, weight_max,
        multiplier_max, 0);
  }
}

void linear4_tests(void) {
  shift4_tests();
  for (int64_t i = 0; i < count; i++) {
    const int32_t rows = (int32_t)(one_in(3) ? 1 : between(1, one_in(30) ? 40 : 9));
    test_linear4((linear4_case){
        rows, 32 * (int32_t)between(1, one_in(10) ? 12 : 4), (int32_t)between(1, one_in(10) ? 150 : 50), one_in(2),
        random_style(), random_style(), random_style(), random_style()});
  }
  const int32_t outs[] = {1, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 80, 81, 97};
  for (int32_t in = 32; in <= 352; in += 32) {
    for (size_t j = 0; j < sizeof outs / 4; j++) {
      for (int32_t rows = 1; rows <= 9; rows++) {
        const linear4_case a = {
            rows, in, outs[j], one_in(2), EXTREME, one_in(2) ? EXTREME : POSITIVE, one_in(2) ? EXTREME : POSITIVE,
            POSITIVE};
        if (sampled()) test_linear4(a);
      }
    }
  }
  const style extremes[] = {EXTREME, POSITIVE, UNIFORM};
  for (int i = 0; i < 54; i++) {
    if (!sampled()) continue;
    const style us = extremes[i % 3], qs = extremes[i / 3 % 3], gs = extremes[i / 9 % 3];
    test_linear4((linear4_case){1, 65504, 17, i >= 27, us, gs, qs, POSITIVE});
    test_linear4((linear4_case){5, 65504 - 32 * (int32_t)between(0, 6), 9, i >= 27, us, gs, qs, POSITIVE});
    test_linear4((linear4_case){
        (int32_t)between(10, 70), 32 * (int32_t)between(40, 80), (int32_t)between(16, 60), i >= 27, us, gs, qs, gs});
  }
}
