// linear4 and linear4m of the NEON set; included by neon.c.
//
// As in linear8, smlal multiplies int16, here by u - 8: four lanes hold one output's sum over a group. For linear4m,
// u G - B = (u - 8) G + (8 G - B): the second part times the sum of the group's q.

// 8 group multipliers.
EV_INLINE void decode_multipliers(const uint8_t *at, int32x4_t *factor) {
  uint16_t stored[8];
  memcpy(stored, at, sizeof stored);
  const uint16x8_t g = vld1q_u16(stored);
  const uint32x4_t halves[2] = {vmovl_u16(vget_low_u16(g)), vmovl_high_u16(g)};
  for (int i = 0; i < 2; i++) {
    const int32x4_t shift = vreinterpretq_s32_u32(vandq_u32(vshrq_n_u32(halves[i], 11), vdupq_n_u32(15)));
    const int32x4_t magnitude = vreinterpretq_s32_u32(vshlq_u32(vandq_u32(halves[i], vdupq_n_u32(2047)), shift));
    const uint32x4_t negative = vtstq_u32(halves[i], vdupq_n_u32(0x8000));
    factor[i] = vbslq_s32(negative, vnegq_s32(magnitude), magnitude);
  }
}

EV_INLINE void add_products(int64x2_t *y, const int32x4_t *s, const int32x4_t *factor) {
  EV_UNROLL for (int i = 0; i < 2; i++) {
    y[2 * i] = vmlal_s32(y[2 * i], vget_low_s32(s[i]), vget_low_s32(factor[i]));
    y[2 * i + 1] = vmlal_high_s32(y[2 * i + 1], s[i], factor[i]);
  }
}

// Adds a group of `rows` rows and 8 outputs to y; `planes` are the activations of the group in the first row,
// `nibbles` those of the outputs and `at` their multipliers. `rows` and `minimums` are constants where this is inlined.
EV_INLINE void add_group(
    const uint8_t *nibbles, const uint8_t *at, const uint8_t *planes, size_t plane_stride, const ev_group_sums *sums,
    size_t g, int64x2_t y[][4], const int rows, const bool minimums) {
  int32x4_t s[TILE_ROWS][TILE_OUTPUTS];  // four inputs of each output
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int j = 0; j < TILE_OUTPUTS; j++) s[r][j] = vdupq_n_s32(0);
  }
  for (size_t m = 0; m < 8; m++) {
    int16x8_t q[TILE_ROWS];  // four inputs twice
    EV_UNROLL for (int r = 0; r < rows; r++) {
      int64_t four;
      memcpy(&four, planes + (size_t)r * plane_stride + m * 8, sizeof four);
      q[r] = vreinterpretq_s16_s64(vdupq_n_s64(four));
    }
    EV_UNROLL for (int j = 0; j < TILE_OUTPUTS; j += 2) {
      const uint8x8_t both = vld1_u8(nibbles + m / 2 * 64 + (size_t)j * 4);
      const uint8x8_t u = m % 2 ? vshr_n_u8(both, 4) : vand_u8(both, vdup_n_u8(15));
      const int16x8_t weights = vreinterpretq_s16_u16(vsubl_u8(u, vdup_n_u8(8)));
      EV_UNROLL for (int r = 0; r < rows; r++) {
        s[r][j] = vmlal_s16(s[r][j], vget_low_s16(weights), vget_low_s16(q[r]));
        s[r][j + 1] = vmlal_high_s16(s[r][j + 1], weights, q[r]);
      }
    }
  }
  int32x4_t factor[2];
  decode_multipliers(at, factor);
  EV_UNROLL for (int r = 0; r < rows; r++) {
    int32x4_t totals[2];
    EV_UNROLL for (int i = 0; i < 2; i++) {
      const int32x4_t *four = s[r] + 4 * i;
      totals[i] = vpaddq_s32(vpaddq_s32(four[0], four[1]), vpaddq_s32(four[2], four[3]));
    }
    add_products(y[r], totals, factor);
  }
  if (minimums) {
    int32x4_t minimum[2], rest[2];
    decode_multipliers(at + 64, minimum);
    EV_UNROLL for (int i = 0; i < 2; i++) {
      rest[i] = vsubq_s32(vshlq_n_s32(factor[i], 3), vshlq_n_s32(minimum[i], 4));
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const int32x4_t sum[2] = {vdupq_n_s32(sums[r].sum[g]), vdupq_n_s32(sums[r].sum[g])};
      add_products(y[r], sum, rest);
    }
  }
}

// `rows` (a constant) rows of the half block of 8 outputs from `output` on.
EV_INLINE void tile4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t output, int32_t *t, size_t t_stride,
    const int rows, const bool minimums) {
  const size_t record_bytes = ev_linear4_record_bytes(minimums), records = (size_t)w->in_padded / 64;
  const uint8_t *record = w->packed + (size_t)(output / 16) * records * record_bytes;
  const size_t lane = (size_t)(output % 16);
  ev_group_sums sums[TILE_ROWS];
  int64x2_t y[TILE_ROWS][4];
  EV_UNROLL for (int r = 0; r < rows; r++) {
    sums[r] = ev_group_sums_of(planes + (size_t)r * plane_stride, w->in_padded);
    EV_UNROLL for (int i = 0; i < 4; i++) y[r][i] = vdupq_n_s64(0);
  }
  for (size_t i = 0; i < records; i++, record += record_bytes) {
    for (size_t part = 0; part < 2; part++) {
      const size_t g = 2 * i + part;
      add_group(
          record + part * 256 + lane * 4, record + 512 + part * 32 + lane * 2, planes + g * 64, plane_stride, sums, g,
          y, rows, minimums);
    }
  }
  for (int r = 0; r < rows; r++) {
    int64_t totals[TILE_OUTPUTS];
    for (int i = 0; i < 4; i++) vst1q_s64(totals + 2 * i, y[r][i]);
    for (int32_t j = 0; j < TILE_OUTPUTS && output + j < w->out; j++) {
      t[(size_t)r * t_stride + (size_t)(output + j)] =
          ev_scaled_twice(totals[j], w->multiplier[output + j], w->shift1, w->shift2);
    }
  }
}

EV_INLINE void multiply4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t output, int32_t *t,
    size_t t_stride, const bool minimums) {
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
    tile4(w, planes, plane_stride, output, t, t_stride, TILE_ROWS, minimums);
    planes += TILE_ROWS * plane_stride;
    t += TILE_ROWS * t_stride;
  }
  if (rows == 2) tile4(w, planes, plane_stride, output, t, t_stride, 2, minimums);
  if (rows == 1) tile4(w, planes, plane_stride, output, t, t_stride, 1, minimums);
}

static void linear4(
    const ev_linear4 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const uint8_t *p = (const uint8_t *)planes;
  for (int32_t output = block_begin * 16; output < block_end * 16; output += TILE_OUTPUTS) {
    if (w->minimums) multiply4(w, p, plane_stride, rows, output, t, t_stride, true);
    else multiply4(w, p, plane_stride, rows, output, t, t_stride, false);
  }
}
