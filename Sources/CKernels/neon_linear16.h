// linear16 of the NEON set; included by neon.c.
//
// smlal multiplies the int16 weights by the two parts of q = 256 h + l, -128 <= h <= 127, 0 <= l <= 255. A lane gains
// at most 255 * 32768 per group of 4 inputs, so 128 groups fit (128 * 255 * 32768 < 2^31).

enum { TILE16_ROWS = 2, TILE16_OUTPUTS = 4, FLUSH16_GROUPS = 128 };

// The 4 inputs of a group of 2 outputs; `at` points to their A, B is 64 bytes on.
EV_INLINE int16x8_t weights16(const int8_t *at) {
  const uint8x8_t low = veor_u8(vreinterpret_u8_s8(vld1_s8(at + 64)), vdup_n_u8(0x80));  // B + 128
  return vorrq_s16(vshlq_n_s16(vmovl_s8(vld1_s8(at)), 8), vreinterpretq_s16_u16(vmovl_u8(low)));
}

// `rows` (a constant) rows of the 4 outputs from `output` on.
EV_INLINE void tile16(
    const ev_linear16 *w, const uint8_t *planes, size_t plane_stride, int32_t output, int32_t *t, size_t t_stride,
    const int rows) {
  const size_t groups = (size_t)w->in_padded / 4;
  const int8_t *packed = w->packed + (size_t)(output / 16) * (size_t)w->in_padded * 32 + (size_t)(output % 16) * 4;
  int64_t y[TILE16_ROWS][TILE16_OUTPUTS] = {{0}};
  for (size_t begin = 0; begin < groups; begin += FLUSH16_GROUPS) {
    const size_t end = begin + FLUSH16_GROUPS < groups ? begin + FLUSH16_GROUPS : groups;
    int32x4_t high[TILE16_ROWS][TILE16_OUTPUTS], low[TILE16_ROWS][TILE16_OUTPUTS];  // four inputs of each output
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int j = 0; j < TILE16_OUTPUTS; j++) high[r][j] = low[r][j] = vdupq_n_s32(0);
    }
    for (size_t g = begin; g < end; g++) {
      int16x8_t weights[2];
      EV_UNROLL for (size_t k = 0; k < 2; k++) weights[k] = weights16(packed + g * 128 + k * 8);
      EV_UNROLL for (int r = 0; r < rows; r++) {
        const int16x4_t q = vld1_s16((const int16_t *)(const void *)(planes + (size_t)r * plane_stride + g * 8));
        const int16x4_t h = vshr_n_s16(q, 8), l = vand_s16(q, vdup_n_s16(255));
        EV_UNROLL for (int k = 0; k < 2; k++) {
          high[r][2 * k] = vmlal_s16(high[r][2 * k], vget_low_s16(weights[k]), h);
          high[r][2 * k + 1] = vmlal_s16(high[r][2 * k + 1], vget_high_s16(weights[k]), h);
          low[r][2 * k] = vmlal_s16(low[r][2 * k], vget_low_s16(weights[k]), l);
          low[r][2 * k + 1] = vmlal_s16(low[r][2 * k + 1], vget_high_s16(weights[k]), l);
        }
      }
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int j = 0; j < TILE16_OUTPUTS; j++) {
        y[r][j] += 256 * vaddlvq_s32(high[r][j]) + vaddlvq_s32(low[r][j]);
      }
    }
  }
  for (int r = 0; r < rows; r++) {
    for (int32_t j = 0; j < TILE16_OUTPUTS && output + j < w->out; j++) {
      t[(size_t)r * t_stride + (size_t)(output + j)] =
          ev_scaled_twice(y[r][j], w->multiplier[output + j], w->shift1, w->shift2);
    }
  }
}

static void linear16(
    const ev_linear16 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  for (int32_t output = block_begin * 16; output < block_end * 16; output += TILE16_OUTPUTS) {
    const uint8_t *p = (const uint8_t *)planes;
    int32_t row = 0;
    for (; row + TILE16_ROWS <= rows; row += TILE16_ROWS, p += TILE16_ROWS * plane_stride) {
      tile16(w, p, plane_stride, output, t + (size_t)row * t_stride, t_stride, TILE16_ROWS);
    }
    if (row < rows) tile16(w, p, plane_stride, output, t + (size_t)row * t_stride, t_stride, 1);
  }
}
