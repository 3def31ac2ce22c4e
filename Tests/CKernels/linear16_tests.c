// linear16.
#include "testing.h"

typedef struct {
  int32_t rows, in, out;
  style ws, qs, ms;
} linear16_case;

// Any int16, -32768 too.
static int16_t weight16(style s) {
  const int64_t w = value(s, 32768);
  return (int16_t)(w > 32767 ? 32767 : w);
}

static void test_linear16(linear16_case a) {
  const int32_t in = a.in, out = a.out, rows = a.rows;
  const int32_t in_padded = ev_padded_in(in), out_padded = ev_padded_out(out), blocks = out_padded / 16;
  const size_t stride = ev_plane_bytes(in_padded, true) + (size_t)(between(0, 3) * 8);
  const size_t t_stride = (size_t)out + (size_t)between(0, 3), weights = (size_t)out * (size_t)in;
  const size_t t_bytes = t_stride * (size_t)rows * 4;
  int16_t *w = room(weights * 2), *q = room((size_t)rows * (size_t)in * 2);
  int64_t *wide_w = room(weights * 8), *offset = room((size_t)out_padded * 8);
  int8_t *packed = room((size_t)out_padded * (size_t)in_padded * 2);
  uint8_t *planes = room(stride * (size_t)rows);
  uint32_t *multiplier = calloc((size_t)out_padded, 4), multiplier_max = 0;
  int32_t *expected = room(t_bytes), *t = room(t_bytes);
  for (size_t i = 0; i < weights; i++) wide_w[i] = w[i] = weight16(a.ws);
  for (int32_t j = 0; j < out; j++) {
    multiplier[j] = (uint32_t)llabs(value(a.ms, (1 << 24) - 1));
    if (multiplier[j] > multiplier_max) multiplier_max = multiplier[j];
  }
  for (int64_t i = 0; i < (int64_t)rows * in; i++) q[i] = (int16_t)value(a.qs, 32767);
  const int32_t cut = (int32_t)between(0, blocks);
  ev_pack_linear16(w, out, in, 0, cut, packed, offset);
  ev_pack_linear16(w, out, in, cut, blocks, packed, offset);
  ev_linear16 weight = {packed, offset, multiplier, in, in_padded, out, out_padded, 0, 0};
  ev_linear4_shifts(in, 32768, multiplier_max, &weight.shift1, &weight.shift2);
  int32_t s1, s2;
  m_linear4_shifts(in, 32768, multiplier_max, &s1, &s2);
  memset(expected, 0xa5, t_bytes);
  for (int32_t r = 0; r < rows; r++) {
    m_linear4(wide_w, multiplier, out, in, s1, s2, q + (size_t)r * (size_t)in, expected + (size_t)r * t_stride);
  }
  for (int k = 0; k < set_count; k++) {
    memset(t, 0xa5, t_bytes);
    for (int32_t r = 0; r < rows; r++) {
      sets[k]->prepare(q + (size_t)r * (size_t)in, in, in_padded, true, planes + (size_t)r * stride);
    }
    const int32_t split = (int32_t)between(0, blocks);
    sets[k]->linear16(&weight, planes, stride, rows, 0, split, t, t_stride);
    sets[k]->linear16(&weight, planes, stride, rows, split, blocks, t, t_stride);
    check(
        memcmp(t, expected, t_bytes) == 0, sets[k]->name,
        "linear16 rows=%" PRId64 " in=%" PRId64 " out=%" PRId64 " split=%" PRId64, rows, in, out, split);
  }
  const int32_t token = (int32_t)between(0, out - 1);
  const int32_t exponent = (int32_t)(one_in(10) ? between(-5000, 5000) : between(-60, 50));
  const uint32_t scale = one_in(2) ? 1 : (uint32_t)between(1, (1 << 22) - 1);
  int64_t *x = room((size_t)in * 8);
  ev_embed_linear16(&weight, token, scale, exponent, x);
  const wide limit = ((wide)1 << 46) - 1;
  bool same = true;
  for (int32_t i = 0; i < in; i++) {
    const wide product = (wide)w[(size_t)token * (size_t)in + (size_t)i] * multiplier[token] * scale;
    same &= x[i] == m_sh_clamp(product, exponent, limit);
  }
  check(same, "all", "embed_linear16 in=%" PRId64 " exponent=%" PRId64, in, exponent, 0, 0);
  FREE(x, w, q, wide_w, offset, packed, planes, multiplier, expected, t);
}

void linear16_tests(void) {
  for (int64_t i = 0; i < count; i++) {
    const int32_t rows = (int32_t)(one_in(3) ? 1 : between(1, one_in(30) ? 40 : 9));
    test_linear16((linear16_case){
        rows, (int32_t)between(1, one_in(10) ? 400 : 140), (int32_t)between(1, one_in(10) ? 150 : 50),
        random_style(), random_style(), random_style()});
  }
  const int32_t outs[] = {1, 15, 16, 17, 31, 32, 33, 48, 49};
  for (int32_t in = 61; in <= 69; in++) {
    for (size_t j = 0; j < sizeof outs / 4; j++) {
      for (int32_t rows = 1; rows <= 7; rows++) {
        const linear16_case a = {rows, in, outs[j], EXTREME, one_in(2) ? EXTREME : POSITIVE, POSITIVE};
        if (sampled()) test_linear16(a);
      }
    }
  }
  const style extremes[] = {EXTREME, POSITIVE, UNIFORM};
  for (int i = 0; i < 9; i++) {
    if (!sampled()) continue;
    const style ws = extremes[i % 3], qs = extremes[i / 3];
    test_linear16((linear16_case){1, 65535, 17, ws, qs, POSITIVE});
    test_linear16((linear16_case){4, 65535 - (int32_t)between(0, 66), 9, ws, qs, POSITIVE});
  }
}
