// The reference kernel set: docs/spec/arithmetic.md section 4 line by line, on any processor.
#include "attention.h"
#include "scalar_vectors.h"

static void prepare(const int16_t *q, int32_t n, int32_t n_padded, bool group_sums, void *planes) {
  memcpy(planes, q, (size_t)n * sizeof(int16_t));
  memset((int16_t *)planes + n, 0, (size_t)(n_padded - n) * sizeof(int16_t));
  (void)group_sums;  // linear4 and linear16 read whole weights here
}

static void linear8(
    const ev_linear8 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const int32_t end = ev_min(block_end * 16, w->out);
  for (int32_t row = 0; row < rows; row++) {
    const int16_t *q = (const int16_t *)(const void *)((const uint8_t *)planes + (size_t)row * plane_stride);
    for (int32_t j = block_begin * 16; j < end; j++) {
      // Output j's inputs: 4 at a time, 64 bytes apart.
      const int8_t *column = w->packed + (size_t)(j / 16) * 16 * (size_t)w->in_padded + (j % 16) * 4;
      int64_t y = 0;
      for (int32_t i = 0; i < w->in; i++) y += column[(size_t)(i / 4) * 64 + (size_t)(i % 4)] * q[i];
      t[(size_t)row * t_stride + (size_t)j] = (int32_t)ev_rs(y * (int64_t)w->multiplier[j], w->shift);
    }
  }
}

// y of one output over the 32 inputs of a group.
static int64_t group_product(const uint8_t *record, int32_t part, int32_t lane, const int16_t *q, bool minimums) {
  uint16_t multiplier, minimum = 0;
  memcpy(&multiplier, record + 512 + part * 32 + lane * 2, sizeof multiplier);
  if (minimums) memcpy(&minimum, record + 576 + part * 32 + lane * 2, sizeof minimum);
  const int64_t g = ev_group_multiplier(multiplier), b = 16 * (int64_t)ev_group_multiplier(minimum);
  int64_t y = 0;
  for (int32_t i = 0; i < 32; i++) {
    const uint8_t byte = record[part * 256 + i / 8 * 64 + lane * 4 + i % 4];
    const int64_t u = i % 8 < 4 ? byte & 15 : byte >> 4;
    y += (minimums ? u * g - b : (u - 8) * g) * q[i];
  }
  return y;
}

static void linear4(
    const ev_linear4 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const int32_t end = ev_min(block_end * 16, w->out), groups = w->in / 32;
  const size_t record_bytes = ev_linear4_record_bytes(w->minimums);
  for (int32_t row = 0; row < rows; row++) {
    const int16_t *q = (const int16_t *)(const void *)((const uint8_t *)planes + (size_t)row * plane_stride);
    for (int32_t j = block_begin * 16; j < end; j++) {
      const uint8_t *block = w->packed + (size_t)(j / 16) * (size_t)(w->in_padded / 64) * record_bytes;
      int64_t y = 0;
      for (int32_t g = 0; g < groups; g++) {
        y += group_product(block + (size_t)(g / 2) * record_bytes, g % 2, j % 16, q + g * 32, w->minimums);
      }
      t[(size_t)row * t_stride + (size_t)j] = ev_scaled_twice(y, w->multiplier[j], w->shift1, w->shift2);
    }
  }
}

static void linear16(
    const ev_linear16 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const int32_t end = ev_min(block_end * 16, w->out);
  for (int32_t row = 0; row < rows; row++) {
    const int16_t *q = (const int16_t *)(const void *)((const uint8_t *)planes + (size_t)row * plane_stride);
    for (int32_t j = block_begin * 16; j < end; j++) {
      const int8_t *column = w->packed + (size_t)(j / 16) * 32 * (size_t)w->in_padded + (j % 16) * 4;
      int64_t y = 0;
      for (int32_t i = 0; i < w->in; i++) {
        const int8_t *at = column + (size_t)(i / 4) * 128 + (size_t)(i % 4);
        y += (int64_t)(256 * at[0] + at[64] + 128) * q[i];
      }
      t[(size_t)row * t_stride + (size_t)j] = ev_scaled_twice(y, w->multiplier[j], w->shift1, w->shift2);
    }
  }
}

static int64_t key_channel(ev_page page, int32_t slot, int32_t c, int32_t hd) {
  return page.keys[(size_t)(slot / 16) * 16 * (size_t)hd + (size_t)(c / 2) * 32 + (size_t)(slot % 16 * 2 + c % 2)];
}

static int64_t value_channel(ev_page page, int32_t slot, int32_t c, int32_t hd) {
  return page.values[((size_t)(slot / 2) * (size_t)hd + (size_t)c) * 2 + (size_t)(slot % 2)];
}

// One query head over the positions first...last. `b` has room for last - first + 1 scores.
static void attend(
    const ev_attention *a, const int16_t *q, int32_t q_exponent, int32_t first, int32_t last, int32_t *b,
    int32_t *out, int32_t *out_exponent) {
  const int32_t hd = a->hd, limit = (1 << 30) - 1;
  int32_t b_max = -limit, value_exponent_max = INT32_MIN;
  for (int32_t j = first; j <= last; j++) {
    const ev_page page = ev_page_of(a, j / EV_PAGE_POSITIONS);
    const int32_t slot = j % EV_PAGE_POSITIONS;
    int64_t s = 0;
    for (int32_t c = 0; c < hd; c++) s += q[c] * key_channel(page, slot, c, hd);
    const int32_t n = q_exponent + page.key_exponent[slot] + 12;
    b[j - first] = (int32_t)ev_clamp(ev_sh_saturating(s, n, 31), -limit, limit);
    if (a->softcap > 0) b[j - first] = capped(b[j - first], a->softcap, a->tanh_table);
    b_max = ev_max(b_max, b[j - first]);
    value_exponent_max = ev_max(value_exponent_max, page.value_exponent[slot]);
  }
  int64_t sum = 0, o[256] = {0};
  for (int32_t j = first; j <= last; j++) {
    const ev_page page = ev_page_of(a, j / EV_PAGE_POSITIONS);
    const int32_t slot = j % EV_PAGE_POSITIONS;
    const int32_t delta = b_max - b[j - first];
    const int64_t t = (int64_t)ev_exp2_table(delta % 4096) << 9;
    sum += ev_rs(t, delta / 4096);
    const int64_t p = ev_rs(t, delta / 4096 + value_exponent_max - page.value_exponent[slot]);
    for (int32_t c = 0; c < hd && p != 0; c++) o[c] += p * value_channel(page, slot, c, hd);
  }
  int32_t shift;
  int64_t factor;
  ev_normaliser(sum, &shift, &factor);
  for (int32_t c = 0; c < hd; c++) out[c] = (int32_t)ev_rs(ev_rs(o[c], shift) * factor, 17);
  *out_exponent = value_exponent_max - 16;
}

static void attention(const ev_attention *a, void *scratch) {
  for (int32_t row = 0; row < a->rows; row++) {
    for (int32_t h = 0; h < a->group; h++) {
      const size_t head = (size_t)h * (size_t)a->hd;
      const size_t exponent = (size_t)row * a->q_exponent_stride + (size_t)h;
      attend(
          a, a->q + (size_t)row * a->q_stride + head, a->q_exponent[exponent], ev_first_visible(a, row),
          ev_last_visible(a, row), (int32_t *)scratch, a->out + (size_t)row * a->out_stride + head,
          a->out_exponent + (size_t)row * a->out_exponent_stride + (size_t)h);
    }
  }
}

const ev_kernel_set ev_kernels_scalar = {
    .name = "scalar",
    .prepare = prepare,
    .linear8 = linear8,
    .linear4 = linear4,
    .linear16 = linear16,
    .attention = attention,
    EV_ELEMENTWISE_FIELDS,
};
