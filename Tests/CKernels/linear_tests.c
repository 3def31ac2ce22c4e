// linear8 and what is made from its weights.
#include "testing.h"

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
      sets[k]->prepare(q + (size_t)r * (size_t)in, in, in_padded, false, planes + (size_t)r * stride);
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
  const uint32_t scale = one_in(2) ? 1 : (uint32_t)between(1, (1 << 22) - 1);
  ev_embed_linear8(&weight, token, scale, exponent, x);
  const wide limit = ((wide)1 << 46) - 1;
  bool same = true;
  for (int32_t i = 0; i < in; i++) {
    same &= x[i] == m_sh_clamp((wide)w[(int64_t)token * in + i] * multiplier[token] * scale, exponent, limit);
    row[i] = (int16_t)value(qs, 32767);
  }
  check(same, "all", "embed_linear8 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  ev_embed_table16(row, in, (uint64_t)multiplier[token] * scale, exponent, x);
  same = true;
  for (int32_t i = 0; i < in; i++) same &= x[i] == m_sh_clamp((wide)row[i] * multiplier[token] * scale, exponent, limit);
  check(same, "all", "embed_table16 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  FREE(w, packed, row_sum, multiplier, q, planes, expected, t, x, row);
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

void linear_tests(void) {
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
