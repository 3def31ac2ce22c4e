// The kernel set for 64-bit ARM with baseline NEON.
//
// smlal multiplies int16 into int32 lanes. A lane gains at most 128 * 32767 per group of 4 inputs, so 512 groups
// fit (512 * 128 * 32767 < 2^31) before it must be emptied into int64.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "attention.h"
#include "elementwise.h"

EV_ELEMENTWISE_KERNELS()

// ---------------------------------------------------------------------------------------------- linear8

// Planes: the int16 activation itself.
static void prepare(const int16_t *q, int32_t n, int32_t n_padded, bool group_sums, void *planes) {
  memcpy(planes, q, (size_t)n * sizeof(int16_t));
  memset((int16_t *)planes + n, 0, (size_t)(n_padded - n) * sizeof(int16_t));
  if (group_sums) ev_add_groups(q, n, n_padded, 0, planes);
}

enum { TILE_ROWS = 3, TILE_OUTPUTS = 8, FLUSH_GROUPS = 512 };

// `rows` (a constant) rows of the half block of 8 outputs from `output` on.
EV_INLINE void tile(
    const ev_linear8 *w, const uint8_t *planes, size_t plane_stride, int32_t output, int32_t *t, size_t t_stride,
    const int rows) {
  const int8_t *packed = w->packed + (size_t)(output / 16) * (size_t)w->in_padded * 16 + (size_t)(output % 16) * 4;
  const size_t groups = (size_t)w->in_padded / 4;
  int64_t y[TILE_ROWS][TILE_OUTPUTS] = {{0}};
  for (size_t begin = 0; begin < groups; begin += FLUSH_GROUPS) {
    const size_t end = begin + FLUSH_GROUPS < groups ? begin + FLUSH_GROUPS : groups;
    int32x4_t sums[TILE_ROWS][TILE_OUTPUTS];  // four inputs of each output
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int j = 0; j < TILE_OUTPUTS; j++) sums[r][j] = vdupq_n_s32(0);
    }
    for (size_t g = begin; g < end; g++) {
      int16x8_t q[TILE_ROWS];  // the group twice
      EV_UNROLL for (int r = 0; r < rows; r++) {
        int64_t four;
        memcpy(&four, planes + (size_t)r * plane_stride + g * 8, sizeof four);
        q[r] = vreinterpretq_s16_s64(vdupq_n_s64(four));
      }
      EV_UNROLL for (int j = 0; j < TILE_OUTPUTS; j += 2) {
        const int16x8_t weights = vmovl_s8(vld1_s8(packed + g * 64 + (size_t)j * 4));
        EV_UNROLL for (int r = 0; r < rows; r++) {
          sums[r][j] = vmlal_s16(sums[r][j], vget_low_s16(weights), vget_low_s16(q[r]));
          sums[r][j + 1] = vmlal_high_s16(sums[r][j + 1], weights, q[r]);
        }
      }
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int j = 0; j < TILE_OUTPUTS; j++) y[r][j] += vaddlvq_s32(sums[r][j]);
    }
  }
  const int64_t half = ev_half(w->shift);
  for (int r = 0; r < rows; r++) {
    for (int32_t j = 0; j < TILE_OUTPUTS && output + j < w->out; j++) {
      const int64_t product = y[r][j] * (int64_t)w->multiplier[output + j];
      t[(size_t)r * t_stride + (size_t)(output + j)] = (int32_t)((product + half) >> w->shift);
    }
  }
}

static void linear8(
    const ev_linear8 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  for (int32_t output = block_begin * 16; output < block_end * 16; output += TILE_OUTPUTS) {
    const uint8_t *p = (const uint8_t *)planes;
    int32_t *out = t;
    int32_t left = rows;
    for (; left >= TILE_ROWS; left -= TILE_ROWS) {
      tile(w, p, plane_stride, output, out, t_stride, TILE_ROWS);
      p += TILE_ROWS * plane_stride;
      out += TILE_ROWS * t_stride;
    }
    if (left == 2) tile(w, p, plane_stride, output, out, t_stride, 2);
    if (left == 1) tile(w, p, plane_stride, output, out, t_stride, 1);
  }
}

#include "neon_linear4.h"
#include "neon_linear16.h"

// -------------------------------------------------------------------------------------------- attention

enum { SCORE_QUERIES = 3, VALUE_QUERIES = 2 };

// All ones in the lanes 0...3, standing for positions from `position` on, that lie in first...last.
EV_INLINE uint32x4_t visible_lanes(int32_t position, int32_t first, int32_t last) {
  static const int32_t lanes[4] = {0, 1, 2, 3};
  const int32x4_t positions = vaddq_s32(vdupq_n_s32(position), vld1q_s32(lanes));
  return vandq_u32(vcgeq_s32(positions, vdupq_n_s32(first)), vcleq_s32(positions, vdupq_n_s32(last)));
}

// b of 4.6 step 2 from the sums s and n = e_q + e_k + 12: one instruction shifts left with saturation or right
// with rounding half up, both exactly, for any count that fits a byte.
EV_INLINE int32x4_t scaled_score(int32x4_t s, int32x4_t n) {
  const int32x4_t limit = vdupq_n_s32((1 << 30) - 1);
  const int32x4_t count = vmaxq_s32(vminq_s32(n, vdupq_n_s32(64)), vdupq_n_s32(-64));
  return vmaxq_s32(vminq_s32(vqrshlq_s32(s, count), limit), vnegq_s32(limit));
}

// Scores of `queries` queries (a constant) from `query` on with the 16 keys from slot `slot` on.
EV_INLINE void score_keys(const ev_pass *p, int32_t page_index, size_t slot, int32_t query, const int queries) {
  const size_t hd = (size_t)p->a->hd;
  const ev_page page = ev_page_of(p->a, page_index);
  const int16_t *keys = page.keys + slot * hd;
  int32x4_t sums[SCORE_QUERIES][4];
  EV_UNROLL for (int i = 0; i < queries; i++) {
    EV_UNROLL for (int k = 0; k < 4; k++) sums[i][k] = vdupq_n_s32(0);
  }
  for (size_t c = 0; c < hd; c += 2) {
    const int16x8x2_t low = vld2q_s16(keys + c * 16), high = vld2q_s16(keys + c * 16 + 16);
    EV_UNROLL for (int i = 0; i < queries; i++) {
      EV_UNROLL for (int odd = 0; odd < 2; odd++) {
        const int16_t q = p->q[query + i][c + (size_t)odd];
        sums[i][0] = vmlal_n_s16(sums[i][0], vget_low_s16(low.val[odd]), q);
        sums[i][1] = vmlal_high_n_s16(sums[i][1], low.val[odd], q);
        sums[i][2] = vmlal_n_s16(sums[i][2], vget_low_s16(high.val[odd]), q);
        sums[i][3] = vmlal_high_n_s16(sums[i][3], high.val[odd], q);
      }
    }
  }
  const size_t at = (size_t)(page_index - p->page_begin) * EV_PAGE_POSITIONS + slot;
  EV_UNROLL for (int i = 0; i < queries; i++) {
    const int32x4_t exponent = vdupq_n_s32(p->q_exponent[query + i] + 12);
    int32_t *scores = p->scores + (size_t)(query + i) * p->span + at;
    EV_UNROLL for (size_t k = 0; k < 4; k++) {
      const int32x4_t n = vaddq_s32(exponent, vld1q_s32(page.key_exponent + slot + k * 4));
      vst1q_s32(scores + k * 4, scaled_score(sums[i][k], n));
    }
  }
}

static void score(const ev_pass *p) {
  for (int32_t page = p->page_begin; page < p->page_end; page++) {
    for (size_t slot = 0; slot < EV_PAGE_POSITIONS; slot += 16) {
      int32_t query = 0;
      for (; query + 3 <= p->queries; query += 3) score_keys(p, page, slot, query, 3);
      if (p->queries - query == 2) score_keys(p, page, slot, query, 2);
      if (p->queries - query == 1) score_keys(p, page, slot, query, 1);
    }
  }
}

// T of section 5 in the low 16 bits of each lane, from f there; every product is RS(h * x, 15).
EV_INLINE uint32x4_t exp2_table(int32x4_t f) {
  const int16x8_t x = vreinterpretq_s16_s32(vshlq_n_s32(f, 3));
  int16x8_t h = vreinterpretq_s16_s32(vdupq_n_s32(224));
  h = vsubq_s16(vreinterpretq_s16_s32(vdupq_n_s32(1748)), vqrdmulhq_s16(h, x));
  h = vsubq_s16(vreinterpretq_s16_s32(vdupq_n_s32(7853)), vqrdmulhq_s16(h, x));
  h = vsubq_s16(vreinterpretq_s16_s32(vdupq_n_s32(22713)), vqrdmulhq_s16(h, x));
  return vreinterpretq_u32_s16(vsubq_s16(vreinterpretq_s16_s32(vdupq_n_s32(32768)), vqrdmulhq_s16(h, x)));
}

// RS(x, count) for count >= 0.
EV_INLINE uint32x4_t rounded_right(uint32x4_t x, int32x4_t count) {
  return vrshlq_u32(x, vnegq_s32(vminq_s32(count, vdupq_n_s32(64))));
}

static int32_t largest_score(const ev_pass *p, const int32_t *scores, int32_t first, int32_t last) {
  const int32_t begin = p->page_begin * EV_PAGE_POSITIONS;
  const int32x4_t lowest = vdupq_n_s32(INT32_MIN);
  int32x4_t largest = lowest;
  for (int32_t at = 0; at < (int32_t)p->span; at += 4) {
    largest = vmaxq_s32(largest, vbslq_s32(visible_lanes(begin + at, first, last), vld1q_s32(scores + at), lowest));
  }
  return vmaxvq_s32(largest);
}

static int64_t weigh(
    const ev_pass *p, int32_t *scores, int32_t first, int32_t last, int32_t score_max, int32_t value_exponent_max) {
  const int32x4_t b_max = vdupq_n_s32(score_max);
  const int32x4_t exponent_max = vdupq_n_s32(value_exponent_max), fraction = vdupq_n_s32(4095);
  uint64_t total = 0;
  for (int32_t page_index = p->page_begin; page_index < p->page_end; page_index++) {
    const ev_page page = ev_page_of(p->a, page_index);
    uint32x4_t sum = vdupq_n_u32(0);
    for (int32_t k = 0; k < EV_PAGE_POSITIONS; k += 16, scores += 16) {
      uint16x4_t upper[4], lower[4];
      EV_UNROLL for (int part = 0; part < 4; part++) {
        const int32_t slot = k + part * 4;
        const uint32x4_t lanes = visible_lanes(page_index * EV_PAGE_POSITIONS + slot, first, last);
        const int32x4_t delta = vsubq_s32(b_max, vld1q_s32(scores + part * 4));
        const uint32x4_t t = vshlq_n_u32(exp2_table(vandq_s32(delta, fraction)), 9);
        const int32x4_t ip = vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(delta), 12));
        sum = vaddq_u32(sum, vandq_u32(lanes, rounded_right(t, ip)));
        const int32x4_t below = vsubq_s32(exponent_max, vld1q_s32(page.value_exponent + slot));
        const uint32x4_t weight = vandq_u32(lanes, rounded_right(t, vaddq_s32(ip, below)));
        upper[part] = vmovn_u32(vshrq_n_u32(weight, 12));
        lower[part] = vmovn_u32(vandq_u32(weight, vreinterpretq_u32_s32(fraction)));
      }
      const uint16x8_t limbs[4] = {
          vcombine_u16(upper[0], upper[1]), vcombine_u16(upper[2], upper[3]), vcombine_u16(lower[0], lower[1]),
          vcombine_u16(lower[2], lower[3])};
      EV_UNROLL for (int i = 0; i < 4; i++) vst1q_s32(scores + i * 4, vreinterpretq_s32_u16(limbs[i]));
    }
    total += vaddlvq_u32(sum);
  }
  return (int64_t)total;
}

// Adds to the sums of `queries` queries (a constant) the values of 8 channels from `channel` on, or of the
// `channels` that are left.
EV_INLINE void add_channels(
    const ev_pass *p, int32_t page_begin, int32_t page_end, int32_t query, int32_t channel, int32_t channels,
    const int queries) {
  const size_t hd = (size_t)p->a->hd, padded = (size_t)ev_padded_head(p->a->hd);
  int32x4_t upper[VALUE_QUERIES][2], lower[VALUE_QUERIES][2];
  EV_UNROLL for (int i = 0; i < queries; i++) {
    EV_UNROLL for (int v = 0; v < 2; v++) upper[i][v] = lower[i][v] = vdupq_n_s32(0);
  }
  for (int32_t index = page_begin; index < page_end; index++) {
    const int16_t *values = ev_page_of(p->a, index).values + (size_t)channel * 2;
    const int32_t *limbs = p->scores + (size_t)query * p->span + (size_t)(index - p->page_begin) * EV_PAGE_POSITIONS;
    for (size_t pair = 0; pair < EV_PAGE_POSITIONS / 2; pair++, values += 2 * hd) {
      int16_t few[16] = {0};
      if (channels < 8) memcpy(few, values, (size_t)channels * 2 * sizeof(int16_t));
      const int16x8x2_t value = vld2q_s16(channels < 8 ? few : values);
      const size_t at = pair / 8 * 16 + pair % 8;
      EV_UNROLL for (size_t i = 0; i < (size_t)queries; i++) {
        int16_t u[2], l[2];
        memcpy(u, limbs + i * p->span + at, sizeof u);
        memcpy(l, limbs + i * p->span + at + 8, sizeof l);
        EV_UNROLL for (int odd = 0; odd < 2; odd++) {
          upper[i][0] = vmlal_n_s16(upper[i][0], vget_low_s16(value.val[odd]), u[odd]);
          upper[i][1] = vmlal_high_n_s16(upper[i][1], value.val[odd], u[odd]);
          lower[i][0] = vmlal_n_s16(lower[i][0], vget_low_s16(value.val[odd]), l[odd]);
          lower[i][1] = vmlal_high_n_s16(lower[i][1], value.val[odd], l[odd]);
        }
      }
    }
  }
  EV_UNROLL for (int i = 0; i < queries; i++) {
    int64_t *sums = p->sums + (size_t)(query + i) * padded + (size_t)channel;
    EV_UNROLL for (int v = 0; v < 2; v++) {
      int64_t *low = sums + v * 4, *high = low + 2;
      const int64x2_t both_low =
          vaddw_s32(vshll_n_s32(vget_low_s32(upper[i][v]), 12), vget_low_s32(lower[i][v]));
      const int64x2_t both_high =
          vaddw_s32(vshll_n_s32(vget_high_s32(upper[i][v]), 12), vget_high_s32(lower[i][v]));
      vst1q_s64(low, vaddq_s64(vld1q_s64(low), both_low));
      vst1q_s64(high, vaddq_s64(vld1q_s64(high), both_high));
    }
  }
}

static void add_values(const ev_pass *p, int32_t page_begin, int32_t page_end) {
  for (int32_t channel = 0; channel < p->a->hd; channel += 8) {
    const int32_t left = p->a->hd - channel;
    int32_t query = 0;
    for (; query + 2 <= p->queries; query += 2) add_channels(p, page_begin, page_end, query, channel, left, 2);
    if (query < p->queries) add_channels(p, page_begin, page_end, query, channel, left, 1);
  }
}

static void normalise(const int64_t *sums, int32_t shift, int64_t factor, int32_t hd, int32_t *out) {
  const int64_t half = ev_half(shift);
  for (int32_t c = 0; c < hd; c++) {
    out[c] = (int32_t)((ev_multiply32((sums[c] + half) >> shift, factor) + (1 << 16)) >> 17);
  }
}

static const ev_attention_steps steps = {score, cap_scores, largest_score, weigh, add_values, normalise};

EV_ATTENTION_KERNELS()

const ev_kernel_set ev_kernels_neon = {
    .name = "neon",
    .prepare = prepare,
    .linear8 = linear8,
    .linear4 = linear4,
    .linear16 = linear16,
    EV_ATTENTION_FIELDS,
    EV_ELEMENTWISE_FIELDS,
};
#endif
