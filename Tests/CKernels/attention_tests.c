// Attention over pages of keys and values.
#include "testing.h"

typedef struct {
  int32_t first, rows, group, hd, window;
  style qs, ks, vs;
  int32_t score_exponent, score_spread, value_spread;
  int32_t visible_end;  // beyond the rows, or 0
  int32_t softcap;
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

static void attend(const ev_kernel_set *set, const ev_attention *call, int32_t positions) {
  void *scratch = room(ev_attention_scratch_bytes(call->rows, call->group, call->hd, positions));
  set->attention(call, scratch);
  free(scratch);
}

// Parts in any order, as threads come to them.
static void attend_in_parts(const ev_kernel_set *set, const ev_attention *call, int32_t positions, int32_t parts) {
  const int32_t first = (int32_t)between(0, parts - 1);
  void *shared = room(ev_attention_part_bytes(call->group, call->hd, positions, parts) * (size_t)parts);
  for (int32_t i = 0; i < parts; i++) set->score_part(call, (first + i) % parts, parts, shared);
  for (int32_t i = 0; i < parts; i++) set->weigh_part(call, parts - 1 - i, parts, shared);
  set->join_parts(call, parts, shared);
  free(shared);
}

static void test_attention(attention_case a) {
  const int32_t positions = a.visible_end > 0 ? a.visible_end : a.first + a.rows;
  const int32_t pages_count = (positions + 63) / 64, hd = a.hd;
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
    const int32_t end = a.visible_end > 0 ? a.visible_end : a.first + r + 1;
    const int32_t begin = a.visible_end == 0 && a.window > 0 && end > a.window ? end - a.window : 0;
    for (int32_t h = 0; h < a.group; h++) {
      const size_t at = (size_t)r * q_stride + (size_t)(h * hd), at_e = (size_t)r * e_stride + (size_t)h;
      m_attention(
          q + at, eq[at_e], keys + begin * hd, ek + begin, values + begin * hd, ev + begin, end - begin, hd,
          a.softcap, tanh_table, expected + at, e_expected + at_e);
    }
  }
  for (int k = 0; k < set_count; k++) {
    const int32_t cut = (int32_t)(one_in(2) ? a.rows : between(1, a.rows));  // one call or two
    // A row at a time in parts, or whole calls.
    const int32_t parts = a.group <= EV_ATTENTION_QUERIES && one_in(2) ? (int32_t)between(1, one_in(4) ? 9 : 3) : 0;
    const bool shares = parts > 0 && sets[k]->score_part != NULL;
    memset(out, 0xa5, (size_t)a.rows * q_stride * 4);
    memset(e, 0xa5, (size_t)a.rows * e_stride * 4);
    for (int32_t r = 0, rows; r < a.rows; r += rows) {
      rows = shares ? 1 : r < cut ? cut : a.rows - cut;
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
          .visible_end = a.visible_end,
          .softcap = a.softcap,
          .tanh_table = tanh_table,
      };
      const int32_t end = a.visible_end > 0 ? a.visible_end : a.first + r + rows;
      if (shares) attend_in_parts(sets[k], &call, end, parts);
      else attend(sets[k], &call, end);
    }
    check(
        memcmp(out, expected, (size_t)a.rows * q_stride * 4) == 0 &&
            memcmp(e, e_expected, (size_t)a.rows * e_stride * 4) == 0,
        sets[k]->name,
        shares ? "attention in parts first=%" PRId64 " rows=%" PRId64 " group=%" PRId64 " hd=%" PRId64
               : "attention first=%" PRId64 " rows=%" PRId64 " group=%" PRId64 " hd=%" PRId64,
        a.first, a.rows, a.group, hd);
  }
  for (int32_t i = 0; i < pages_count; i++) free(pages[i]);
  FREE(q, keys, values, eq, ek, ev, e_expected, out, expected, e, pages);
}

static attention_case random_attention(void) {
  attention_case a;
  const int32_t heads[] = {32, 64, 64, 96, 128, 256};
  a.hd = one_in(3) ? heads[between(0, 5)] : 2 * (int32_t)between(1, one_in(8) ? 128 : 24);
  a.first = one_in(3) ? 0 : (int32_t)between(0, one_in(12) ? 400 : 90);
  a.rows = one_in(2) ? 1 : (int32_t)between(1, one_in(10) ? 40 : 6);
  a.group = one_in(3) ? 1 : (int32_t)between(1, one_in(12) ? one_in(12) ? 50 : 9 : 4);
  a.window = one_in(4) ? (int32_t)between(1, 100) : 0;
  a.visible_end = one_in(5) ? a.first + a.rows + (int32_t)between(0, one_in(2) ? 3 : 100) : 0;
  a.softcap = one_in(4) ? any_cap() : 0;
  a.qs = random_style(), a.ks = random_style(), a.vs = random_style(), a.clamp = 0;
  a.score_exponent = (int32_t)(one_in(15) ? between(-2000, 2000) : one_in(4) ? between(-40, 40) : between(-18, -6));
  a.score_spread = one_in(10) ? 30 : (int32_t)between(0, 3);
  a.value_spread = one_in(15) ? 100000 : one_in(3) ? 0 : (int32_t)between(0, 14);
  return a;
}

void attention_tests(void) {
  for (int64_t i = 0; i < count; i++) test_attention(random_attention());
  for (int32_t hd = 2; hd <= 256; hd += 2) {  // every head dimension
    attention_case a = random_attention();
    a.hd = hd;
    if (sampled()) test_attention(a);
  }
  for (int32_t n = 1; n <= 520; n++) {  // every length around every page edge, all p at their largest
    const attention_case a = {
        n - 1, 1, 1 + n % 3, 16 + n % 3 * 8, 0, ZERO, EXTREME, n % 2 ? POSITIVE : EXTREME, 0, 0, 0,
        n % 4 ? 0 : n + n % 7, n % 3 ? 0 : any_cap(), 0};
    if (sampled()) test_attention(a);
  }
  for (int32_t shift = -40; shift <= 40; shift++) {  // scores at their largest, shifted through all clamps
    const attention_case a = {70, 9, 2, shift % 2 ? 128 : 256, 0, EXTREME, EXTREME, EXTREME, shift, 1, 2, 0, 0, 0};
    if (sampled()) test_attention(a);
    const attention_case b = {90, 6, 2, 64, 33, POSITIVE, POSITIVE, POSITIVE, shift, 0, 0, 0, any_cap(), 0};
    if (sampled()) test_attention(b);
  }
  for (int32_t left = 0; left <= 12; left++) {  // where clamping begins
    for (int32_t i = 0; i < 20; i++) {
      const attention_case a = {
          40, 1, 1, 66 + 2 * (i % 8), 0, ZERO, ZERO, i % 3 ? UNIFORM : POSITIVE, left, 0, 1, 0, i % 5 ? 0 : any_cap(),
          i % 2 ? 1 : -1};
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
