// Compares every kernel set that runs here with the model of the specification, bit for bit.
//   kernels_test [--seed N] [--count N] [--set NAME]
// `--count` is the number of random shapes per kernel; the lists of edge cases are sampled below 5000.
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"
#include "model.h"

// ------------------------------------------------------------------------------------------ randomness

static uint64_t state;

static uint64_t next_random(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static int64_t between(int64_t lo, int64_t hi) { return lo + (int64_t)(next_random() % (uint64_t)(hi - lo + 1)); }
static bool one_in(int n) { return between(1, n) == 1; }

// A value of at most `limit` in magnitude. The style, drawn once per vector, decides what vectors look like.
typedef enum { UNIFORM, SMALL, EXTREME, ZERO, SPARSE, POSITIVE, ANY_BITS, STYLES } style;

static style random_style(void) { return (style)between(0, STYLES - 1); }

static int64_t value(style s, int64_t limit) {
  switch (s) {
    case SMALL: return between(-(limit < 9 ? limit : 9), limit < 9 ? limit : 9);
    case EXTREME: return one_in(2) ? limit : -limit;
    case ZERO: return 0;
    case SPARSE: return one_in(20) ? between(-limit, limit) : 0;
    case POSITIVE: return limit - between(0, 1);
    case ANY_BITS: {
      int64_t magnitude = (int64_t)(next_random() % (uint64_t)(limit + 1)) >> between(0, m_bitlen(limit));
      return one_in(2) ? magnitude : -magnitude;
    }
    default: return between(-limit, limit);
  }
}

// ---------------------------------------------------------------------------------------------- results

static uint64_t seed = 0;
static int64_t count = 10000;
static const ev_kernel_set *sets[8];
static int set_count = 0;
static long passed = 0, failed = 0;

static void check(bool ok, const char *set, const char *format, int64_t a, int64_t b, int64_t c, int64_t d) {
  if (ok) {
    passed++;
    return;
  }
  if (failed++ < 20) {
    printf("FAIL %s: ", set);
    printf(format, a, b, c, d);
    printf(" (seed %" PRIu64 ")\n", seed);
  }
}

// Exactly `bytes` of memory, so that a sanitizer sees what runs over.
static void *room(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes) != 0) abort();
  memset(p, 0xa5, bytes);
  return p;
}

static bool sampled(void) { return count >= 5000 || between(0, 4999) < count; }

// ---------------------------------------------------------------------------------------------- linear8

static void test_linear(int32_t rows, int32_t in, int32_t out, style ws, style qs, style ms) {
  const int32_t in_padded = ev_padded_in(in), out_padded = ev_padded_out(out), blocks = out_padded / 16;
  const size_t stride = (size_t)in_padded * 2 + (size_t)(between(0, 3) * 64);
  const size_t t_stride = (size_t)out + (size_t)between(0, 3);
  int8_t *w = room((size_t)out * (size_t)in), *packed = room((size_t)out_padded * (size_t)in_padded);
  int32_t *row_sum = room((size_t)out_padded * 4);
  uint32_t *multiplier = calloc((size_t)out_padded, 4), multiplier_max = 0;
  int16_t *q = room((size_t)rows * (size_t)in * 2);
  uint8_t *planes = room(stride * (size_t)rows);
  int32_t *expected = room(t_stride * (size_t)rows * 4), *t = room(t_stride * (size_t)rows * 4);
  for (int64_t i = 0; i < (int64_t)out * in; i++) {
    w[i] = (int8_t)value(ws, 127);
    if (w[i] == -127 && one_in(2)) w[i] = -128;
    if (ws == POSITIVE) w[i] = -128;
  }
  for (int32_t j = 0; j < out; j++) {
    multiplier[j] = (uint32_t)llabs(value(ms, (1 << 24) - 1));
    if (multiplier[j] > multiplier_max) multiplier_max = multiplier[j];
  }
  for (int64_t i = 0; i < (int64_t)rows * in; i++) q[i] = (int16_t)value(qs, 32767);
  const int32_t s = ev_linear8_shift(in, multiplier_max);
  check(s == m_linear_shift(in, multiplier_max), "all", "shift in=%" PRId64 " max=%" PRId64, in, multiplier_max, 0, 0);
  const int32_t cut = (int32_t)between(0, blocks);
  ev_pack_linear8(w, out, in, 0, cut, packed, row_sum);
  ev_pack_linear8(w, out, in, cut, blocks, packed, row_sum);
  const ev_linear8 weight = {packed, row_sum, multiplier, in, in_padded, out, out_padded, s};
  memset(expected, 0xa5, t_stride * (size_t)rows * 4);
  for (int32_t r = 0; r < rows; r++) {
    m_linear(w, multiplier, out, in, s, q + (size_t)r * (size_t)in, expected + (size_t)r * t_stride);
  }
  for (int k = 0; k < set_count; k++) {
    memset(t, 0xa5, t_stride * (size_t)rows * 4);
    for (int32_t r = 0; r < rows; r++) {
      sets[k]->prepare(q + (size_t)r * (size_t)in, in, in_padded, planes + (size_t)r * stride);
    }
    const int32_t split = (int32_t)between(0, blocks);
    sets[k]->linear8(&weight, planes, stride, rows, 0, split, t, t_stride);
    sets[k]->linear8(&weight, planes, stride, rows, split, blocks, t, t_stride);
    check(
        memcmp(t, expected, t_stride * (size_t)rows * 4) == 0, sets[k]->name,
        "linear8 rows=%" PRId64 " in=%" PRId64 " out=%" PRId64 " split=%" PRId64, rows, in, out, split);
  }
  const int32_t token = (int32_t)between(0, out - 1);
  const int32_t exponent = (int32_t)(one_in(20) ? between(-5000, 5000) : between(-50, 50));
  int64_t *x = room((size_t)in * 8);
  int16_t *row = room((size_t)in * 2);
  ev_embed_linear8(&weight, token, exponent, x);
  const wide limit = ((wide)1 << 46) - 1;
  bool same = true;
  for (int32_t i = 0; i < in; i++) {
    same &= x[i] == m_sh_clamp((wide)w[(int64_t)token * in + i] * multiplier[token], exponent, limit);
    row[i] = (int16_t)value(qs, 32767);
  }
  check(same, "all", "embed_linear8 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  ev_embed_table16(row, in, multiplier[token], exponent, x);
  same = true;
  for (int32_t i = 0; i < in; i++) same &= x[i] == m_sh_clamp((wide)row[i] * multiplier[token], exponent, limit);
  check(same, "all", "embed_table16 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  void *all[] = {w, packed, row_sum, multiplier, q, planes, expected, t, x, row};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

// 32767 * 128 * in * M = (2^30 - 1) * 2^s holds exactly where in * M = 32769 * 2^j, for 32769 = 9 * 11 * 331.
static void shift_tests(void) {
  const int32_t ins[] = {1, 9, 11, 99, 331, 993, 3641, 32769, 65535};
  for (size_t i = 0; i < sizeof ins / 4; i++) {
    for (int32_t power = 1; power < 1 << 24; power *= 2) {
      for (int32_t m = -1; m <= 1; m++) {
        const int64_t near = (int64_t)power * (ins[i] <= 32769 ? 32769 / ins[i] : 1) + m;
        if (near < 0 || near >= 1 << 24) continue;
        check(
            ev_linear8_shift(ins[i], (uint32_t)near) == m_linear_shift(ins[i], near), "all",
            "shift in=%" PRId64 " max=%" PRId64, ins[i], near, 0, 0);
      }
    }
  }
}

static void linear_tests(void) {
  shift_tests();
  for (int64_t i = 0; i < count; i++) {
    const int32_t rows = (int32_t)(one_in(3) ? 1 : between(1, one_in(30) ? 40 : 9));
    test_linear(
        rows, (int32_t)between(1, one_in(10) ? 400 : 140), (int32_t)between(1, one_in(10) ? 150 : 50), random_style(),
        random_style(), random_style());
  }
  const int32_t ins[] = {1,    3,    4,    5,    15,   16,   17,   63,   64,   65,   127,  128,
                         129,  255,  256,  257,  511,  513,  1023, 1024, 1025, 2047, 2048, 2049};
  const int32_t outs[] = {1, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 80, 81, 97, 113, 129};
  for (size_t i = 0; i < sizeof ins / 4; i++) {
    for (size_t j = 0; j < sizeof outs / 4; j++) {
      for (int32_t rows = 1; rows <= 9; rows++) {
        if (sampled()) test_linear(rows, ins[i], outs[j], EXTREME, one_in(2) ? EXTREME : POSITIVE, POSITIVE);
      }
    }
  }
  const style extremes[] = {EXTREME, POSITIVE, UNIFORM};
  for (int i = 0; i < 27; i++) {
    if (!sampled()) continue;
    const style ws = extremes[i % 3], qs = extremes[i / 3 % 3], ms = extremes[i / 9];
    test_linear(1, 65535, 17, ws, qs, ms);
    test_linear(5, 65535 - (int32_t)between(0, 200), 33, ws, qs, ms);
    test_linear((int32_t)between(10, 70), (int32_t)between(4000, 9000), (int32_t)between(16, 100), ws, qs, ms);
  }
}

// ----------------------------------------------------------------------------------------- vector kernels

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
  void *all[] = {x, gain, expected, q, scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void test_swiglu(int32_t n, style gs, int32_t eg, const int32_t *sigma) {
  uint32_t pairs[4096];
  ev_pack_sigma(sigma, pairs);
  int32_t *g = room((size_t)n * 4), *u = room((size_t)n * 4), expected_e, e, eu = (int32_t)between(-300, 300);
  int16_t *expected = room((size_t)n * 2), *q = room((size_t)n * 2);
  void *scratch = room(ev_vector_scratch_bytes(n));
  const style us = random_style();
  for (int32_t c = 0; c < n; c++) {
    g[c] = (int32_t)value(gs, (1 << 30) - 1);
    u[c] = (int32_t)value(us, (1 << 30) - 1);
  }
  m_swiglu(g, eg, u, eu, n, sigma, expected, &expected_e);
  for (int k = 0; k < set_count; k++) {
    memset(q, 0xa5, (size_t)n * 2);
    sets[k]->swiglu(g, eg, u, eu, n, pairs, q, &e, scratch);
    check(
        e == expected_e && memcmp(q, expected, (size_t)n * 2) == 0, sets[k]->name,
        "swiglu n=%" PRId64 " exponent=%" PRId64 " style=%" PRId64, n, eg, gs, 0);
  }
  void *all[] = {g, u, expected, q, scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void test_heads(int32_t heads, int32_t hd) {
  const size_t n = (size_t)heads * (size_t)hd;
  int32_t *t = room(n * 4), *rotated = room(n * 4), *got = room(n * 4), *e_heads = room((size_t)heads * 4);
  int32_t *cosine = room((size_t)hd * 2), *sine = room((size_t)hd * 2), *e_got = room((size_t)heads * 4);
  int16_t *expected = room(n * 2), *q = room(n * 2);
  void *scratch = room(ev_vector_scratch_bytes((int32_t)n));
  const style ts = random_style();
  for (size_t c = 0; c < n; c++) t[c] = (int32_t)value(ts, (1 << 30) - 1);
  for (int32_t i = 0; i < hd / 2; i++) {
    const double turn = (double)between(0, 65535) / 65536 * 6.283185307179586;
    cosine[i] = (int32_t)lround(32768 * cos(turn));
    sine[i] = (int32_t)lround(32768 * sin(turn));
    if (one_in(10)) cosine[i] = one_in(2) ? 32768 : -32768, sine[i] = 0;
    if (one_in(10)) cosine[i] = 23170, sine[i] = one_in(2) ? 23170 : -23170;
  }
  memcpy(rotated, t, n * 4);
  m_rope(rotated, heads, hd, cosine, sine);
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
    sets[k]->rope(got, heads, hd, cosine, sine);
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
  void *all[] = {t, rotated, got, e_heads, cosine, sine, e_got, expected, q, scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
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

static void vector_tests(void) {
  int32_t sigma[4097], wild[4097];
  for (int i = 0; i <= 4096; i++) {
    sigma[i] = (int32_t)lround(32768 / (1 + exp(-i / 256.0)));
    wild[i] = (int32_t)between(0, 32768);
  }
  for (int64_t i = 0; i < count; i++) {
    const int32_t n = (int32_t)between(1, one_in(10) ? 300 : 70);
    test_rms_norm(n, random_style(), (int)between(0, 46), random_style(), (int)between(0, one_in(2) ? 53 : 20));
    const int32_t exponent = (int32_t)(one_in(20) ? between(-9000, 9000) : between(-60, 60));
    test_swiglu(n, random_style(), exponent, one_in(4) ? wild : sigma);
    test_add(n, random_style(), random_style(), exponent);
    test_heads((int32_t)between(1, one_in(8) ? 32 : 6), 2 * (int32_t)between(1, one_in(4) ? 128 : 20));
  }
  for (int32_t edge = 8; edge <= 1024; edge *= 2) {
    for (int32_t n = edge - 1; n <= edge + 1; n++) {
      for (int s = 0; s < STYLES; s++) {
        if (!sampled()) continue;
        test_rms_norm(n, (style)s, 46, EXTREME, 53);
        test_rms_norm(n, (style)s, (int)between(22, 26), POSITIVE, 0);
        for (int32_t exponent = -40; exponent <= 20; exponent += 4) test_swiglu(n, (style)s, exponent, sigma);
        for (int32_t exponent = -64; exponent <= 64; exponent += 8) test_add(n, (style)s, random_style(), exponent);
      }
    }
  }
  for (int s = 0; s < STYLES; s++) {
    if (sampled()) test_rms_norm(16384, (style)s, 46, random_style(), 53);
  }
  for (int32_t hd = 2; hd <= 256; hd += 2) test_heads((int32_t)between(1, 3), hd);
}

// -------------------------------------------------------------------------------------------- attention

typedef struct {
  int32_t first, rows, group, hd, window;
  style qs, ks, vs;
  int32_t score_exponent, score_spread, value_spread;
  int32_t clamp;  // 1 or -1: scores within a few of the clamp on that side; then hd is 66 or more
} attention_case;

// A query and a key whose product is 2^30 >> left, plus `beyond`, for left = score_exponent in 0...12.
static void near_clamp(attention_case a, int64_t beyond, int16_t *q, int16_t *key) {
  int64_t rest = ((int64_t)1 << 30 >> a.score_exponent) + beyond;
  memset(q, 0, (size_t)a.hd * 2);
  memset(key, 0, (size_t)a.hd * 2);
  for (int32_t c = 0; c < a.hd - 1; c++) {
    q[c] = 4095;
    key[c] = (int16_t)(a.clamp * (rest / 4095 > 4095 ? 4095 : rest / 4095));
    rest -= (int64_t)a.clamp * key[c] * 4095;
  }
  q[a.hd - 1] = 1;
  key[a.hd - 1] = (int16_t)(a.clamp * rest);
}

static void test_attention(attention_case a) {
  const int32_t positions = a.first + a.rows, pages_count = (positions + 63) / 64, hd = a.hd;
  const size_t q_stride = (size_t)(a.group * hd) + (size_t)between(0, 2), e_stride = (size_t)a.group + 1;
  int32_t query_limit = 4095;
  while ((int64_t)query_limit * 4095 * hd >= (int64_t)1 << 31) query_limit /= 2;
  int16_t *q = room((size_t)a.rows * q_stride * 2), *keys = room((size_t)(positions * hd) * 2);
  int16_t *values = room((size_t)(positions * hd) * 2);
  int32_t *eq = room((size_t)a.rows * e_stride * 4), *ek = room((size_t)positions * 4);
  int32_t *ev = room((size_t)positions * 4), *e_expected = room((size_t)a.rows * e_stride * 4);
  int32_t *out = room((size_t)a.rows * q_stride * 4), *expected = room((size_t)a.rows * q_stride * 4);
  int32_t *e = room((size_t)a.rows * e_stride * 4);
  for (size_t i = 0; i < (size_t)a.rows * q_stride; i++) q[i] = (int16_t)value(a.qs, query_limit);
  for (size_t i = 0; i < (size_t)a.rows * e_stride; i++) {
    eq[i] = a.score_exponent - 12 + (int32_t)between(-a.score_spread, a.score_spread);
  }
  // Pages hold noise where nothing was stored, and the head's part starts somewhere inside each.
  const size_t offset = (size_t)between(0, 2) * 64;
  uint8_t **pages = malloc((size_t)pages_count * sizeof *pages);
  for (int32_t i = 0; i < pages_count; i++) {
    pages[i] = room(ev_page_bytes(hd) + offset);
    for (size_t b = 0; b < ev_page_bytes(hd) + offset; b += 8) {
      const uint64_t noise = next_random();
      memcpy(pages[i] + b, &noise, 8);
    }
  }
  for (int32_t j = 0; j < positions; j++) {
    for (int32_t c = 0; c < hd; c++) {
      keys[j * hd + c] = (int16_t)value(a.ks, 4095);
      values[j * hd + c] = (int16_t)value(a.vs, 4095);
    }
    if (a.clamp != 0) near_clamp(a, between(-20, 8), q, keys + j * hd);
    ek[j] = (int32_t)between(-a.score_spread, a.score_spread);
    ev[j] = (int32_t)between(-a.value_spread, a.value_spread);
    ev_page_store(pages[j / 64] + offset, j % 64, hd, keys + j * hd, ek[j], values + j * hd, ev[j]);
  }
  memset(expected, 0xa5, (size_t)a.rows * q_stride * 4);
  memset(e_expected, 0xa5, (size_t)a.rows * e_stride * 4);
  for (int32_t r = 0; r < a.rows; r++) {
    const int32_t end = a.first + r + 1, begin = a.window > 0 && end > a.window ? end - a.window : 0;
    for (int32_t h = 0; h < a.group; h++) {
      const size_t at = (size_t)r * q_stride + (size_t)(h * hd), at_e = (size_t)r * e_stride + (size_t)h;
      m_attention(
          q + at, eq[at_e], keys + begin * hd, ek + begin, values + begin * hd, ev + begin, end - begin, hd,
          expected + at, e_expected + at_e);
    }
  }
  for (int k = 0; k < set_count; k++) {
    memset(out, 0xa5, (size_t)a.rows * q_stride * 4);
    memset(e, 0xa5, (size_t)a.rows * e_stride * 4);
    const int32_t cut = (int32_t)(one_in(2) ? a.rows : between(1, a.rows));  // one call or two
    for (int32_t r = 0; r < a.rows; r = r < cut ? cut : a.rows) {
      const int32_t rows = r < cut ? cut : a.rows - cut;
      const ev_attention call = {
          .q = q + (size_t)r * q_stride,
          .q_exponent = eq + (size_t)r * e_stride,
          .pages = (const uint8_t *const *)pages,
          .page_offset = offset,
          .out = out + (size_t)r * q_stride,
          .out_exponent = e + (size_t)r * e_stride,
          .q_stride = q_stride,
          .q_exponent_stride = e_stride,
          .out_stride = q_stride,
          .out_exponent_stride = e_stride,
          .first_position = a.first + r,
          .rows = rows,
          .group = a.group,
          .hd = hd,
          .window = a.window,
      };
      void *scratch = room(ev_attention_scratch_bytes(rows, a.group, hd, a.first + r + rows));
      sets[k]->attention(&call, scratch);
      free(scratch);
    }
    check(
        memcmp(out, expected, (size_t)a.rows * q_stride * 4) == 0 &&
            memcmp(e, e_expected, (size_t)a.rows * e_stride * 4) == 0,
        sets[k]->name, "attention first=%" PRId64 " rows=%" PRId64 " group=%" PRId64 " hd=%" PRId64, a.first, a.rows,
        a.group, hd);
  }
  for (int32_t i = 0; i < pages_count; i++) free(pages[i]);
  void *all[] = {q, keys, values, eq, ek, ev, e_expected, out, expected, e, pages};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static attention_case random_attention(void) {
  attention_case a;
  const int32_t heads[] = {32, 64, 64, 96, 128, 256};
  a.hd = one_in(3) ? heads[between(0, 5)] : 2 * (int32_t)between(1, one_in(8) ? 128 : 24);
  a.first = one_in(3) ? 0 : (int32_t)between(0, one_in(12) ? 400 : 90);
  a.rows = one_in(2) ? 1 : (int32_t)between(1, one_in(10) ? 40 : 6);
  a.group = one_in(3) ? 1 : (int32_t)between(1, one_in(12) ? one_in(12) ? 50 : 9 : 4);
  a.window = one_in(4) ? (int32_t)between(1, 100) : 0;
  a.qs = random_style(), a.ks = random_style(), a.vs = random_style(), a.clamp = 0;
  a.score_exponent = (int32_t)(one_in(15) ? between(-2000, 2000) : one_in(4) ? between(-40, 40) : between(-18, -6));
  a.score_spread = one_in(10) ? 30 : (int32_t)between(0, 3);
  a.value_spread = one_in(15) ? 100000 : one_in(3) ? 0 : (int32_t)between(0, 14);
  return a;
}

static void attention_tests(void) {
  for (int64_t i = 0; i < count; i++) test_attention(random_attention());
  for (int32_t hd = 2; hd <= 256; hd += 2) {  // every head dimension
    attention_case a = random_attention();
    a.hd = hd;
    if (sampled()) test_attention(a);
  }
  for (int32_t n = 1; n <= 520; n++) {  // every length around every page edge, all p at their largest
    const attention_case a = {
        n - 1, 1, 1 + n % 3, 16 + n % 3 * 8, 0, ZERO, EXTREME, n % 2 ? POSITIVE : EXTREME, 0, 0, 0, 0};
    if (sampled()) test_attention(a);
  }
  for (int32_t shift = -40; shift <= 40; shift++) {  // scores at their largest, shifted through all clamps
    const attention_case a = {70, 9, 2, shift % 2 ? 128 : 256, 0, EXTREME, EXTREME, EXTREME, shift, 1, 2, 0};
    if (sampled()) test_attention(a);
    const attention_case b = {90, 6, 2, 64, 33, POSITIVE, POSITIVE, POSITIVE, shift, 0, 0, 0};
    if (sampled()) test_attention(b);
  }
  for (int32_t left = 0; left <= 12; left++) {  // where clamping begins
    for (int32_t i = 0; i < 20; i++) {
      const attention_case a = {
          40, 1, 1, 66 + 2 * (i % 8), 0, ZERO, ZERO, i % 3 ? UNIFORM : POSITIVE, left, 0, 1, i % 2 ? 1 : -1};
      if (sampled()) test_attention(a);
    }
  }
  const int32_t long_firsts[] = {1000, 3333, 8191};
  for (int i = 0; i < 3; i++) {
    attention_case a = random_attention();
    a.first = long_firsts[i], a.rows = 20, a.hd = 64, a.group = 3;
    if (sampled()) test_attention(a);
  }
}

// ----------------------------------------------------------------------------------------------- running

int main(int argc, char **argv) {
  seed = (uint64_t)time(NULL);
  const char *only = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--count") == 0) count = strtoll(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--set") == 0) only = argv[i + 1];
    else argc = 0;
  }
  if (argc % 2 == 0) {
    fprintf(stderr, "usage: kernels_test [--seed N] [--count N] [--set NAME]\n");
    return 2;
  }
  printf("seed %" PRIu64 ", count %" PRId64 ", sets:", seed, count);
  for (int i = 0; ev_kernels_name(i) != NULL; i++) {
    if (only != NULL && strcmp(only, ev_kernels_name(i)) != 0) continue;
    sets[set_count++] = ev_kernels_by_name(ev_kernels_name(i));
    printf(" %s", ev_kernels_name(i));
  }
  printf("\n");
  check(set_count > 0, only == NULL ? "any" : only, "no such kernel set here", 0, 0, 0, 0);
  check(ev_kernels_by_name("abacus") == NULL, "dispatch", "an unknown name has a set", 0, 0, 0, 0);
  check(ev_kernels_best() == ev_kernels_by_name(ev_kernels_name(0)), "dispatch", "best is not first", 0, 0, 0, 0);
  state = seed;
  void (*const parts[])(void) = {linear_tests, vector_tests, attention_tests};
  const char *const names[] = {"linear", "vector", "attention"};
  for (int i = 0; i < 3; i++) {
    const clock_t start = clock();
    parts[i]();
    printf("%s: %.1f s\n", names[i], (double)(clock() - start) / CLOCKS_PER_SEC);
  }
  printf("%ld passed, %ld failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
