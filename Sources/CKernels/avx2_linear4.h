// linear4 and linear4m of the AVX2 set; included by avx2.c.
//
// As in linear8, vpmaddwd multiplies int16, here by the nibbles u: a lane holds half of one output's sum over a group,
// below 16 * 15 * 32767 and the initial -8 Σ q. For linear4m, u G - B = (u - 8) G + (8 G - B): the second part times
// the sum of the group's q.

// 8 group multipliers.
AVX2 EV_INLINE __m256i decode_multipliers(const uint8_t *at) {
  const __m256i g = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
  const __m256i mantissa = _mm256_and_si256(g, _mm256_set1_epi32(2047));
  const __m256i shift = _mm256_and_si256(_mm256_srli_epi32(g, 11), _mm256_set1_epi32(15));
  const __m256i negative = _mm256_srai_epi32(_mm256_slli_epi32(g, 16), 31);
  return _mm256_sub_epi32(_mm256_xor_si256(_mm256_sllv_epi32(mantissa, shift), negative), negative);
}

// 16 int32 as the low halves of int64 lanes, 4 and 4.
AVX2 EV_INLINE void widen(const __m256i *eights, __m256i *fours) {
  fours[0] = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(eights[0]));
  fours[1] = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(eights[0], 1));
  fours[2] = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(eights[1]));
  fours[3] = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(eights[1], 1));
}

// Adds a group of `rows` rows to y; `planes` are the activations of the group in the first row, `nibbles` its 256
// bytes and `at` its multipliers. `rows` and `minimums` are constants where this is inlined.
AVX2 EV_INLINE void add_group(
    const uint8_t *nibbles, const uint8_t *at, const uint8_t *planes, size_t plane_stride, const ev_group_sums *sums,
    size_t g, __m256i y[][4], const int rows, const bool minimums) {
  __m256i s[TILE_ROWS][4];  // int32, two halves of each output
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int k = 0; k < 4; k++) s[r][k] = broadcast64(sums[r].initial + g);
  }
  for (size_t m = 0; m < 4; m++) {
    EV_UNROLL for (int upper = 0; upper < 2; upper++) {
      __m256i q[TILE_ROWS];
      EV_UNROLL for (int r = 0; r < rows; r++) {
        q[r] = broadcast64(planes + (size_t)r * plane_stride + m * 16 + (size_t)upper * 8);
      }
      EV_UNROLL for (size_t k = 0; k < 4; k++) {
        const __m256i both =
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(nibbles + m * 64 + k * 16)));
        const __m256i u = upper ? _mm256_srli_epi16(both, 4) : _mm256_and_si256(both, _mm256_set1_epi16(15));
        EV_UNROLL for (int r = 0; r < rows; r++) s[r][k] = _mm256_add_epi32(s[r][k], _mm256_madd_epi16(u, q[r]));
      }
    }
  }
  const __m256i multiplier[2] = {decode_multipliers(at), decode_multipliers(at + 16)};
  __m256i factor[4];
  widen(multiplier, factor);
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int k = 0; k < 4; k++) {
      const __m256i sum = _mm256_add_epi32(s[r][k], _mm256_srli_epi64(s[r][k], 32));
      y[r][k] = _mm256_add_epi64(y[r][k], _mm256_mul_epi32(sum, factor[k]));
    }
  }
  if (minimums) {
    __m256i rest[2];
    EV_UNROLL for (int i = 0; i < 2; i++) {
      const __m256i minimum = _mm256_slli_epi32(decode_multipliers(at + 64 + i * 16), 4);
      rest[i] = _mm256_sub_epi32(_mm256_slli_epi32(multiplier[i], 3), minimum);
    }
    widen(rest, factor);
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const __m256i sum = broadcast32(sums[r].sum + g);
      EV_UNROLL for (int k = 0; k < 4; k++) y[r][k] = _mm256_add_epi64(y[r][k], _mm256_mul_epi32(sum, factor[k]));
    }
  }
}

// RS(RS(y, s1) * M, s2) of 4 outputs.
AVX2 EV_INLINE __m128i scale_twice(__m256i y, const uint32_t *multipliers, int32_t shift1, int32_t shift2) {
  const __m256i multiplier = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)multipliers));
  const __m256i half1 = _mm256_set1_epi64x(ev_half(shift1)), half2 = _mm256_set1_epi64x(ev_half(shift2));
  const __m256i z = shift_right64(_mm256_add_epi64(y, half1), shift1);
  const __m256i low = _mm256_mul_epu32(z, multiplier);
  const __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(z, 32), multiplier);
  const __m256i product = _mm256_add_epi64(low, _mm256_slli_epi64(high, 32));
  return narrow64(shift_right64(_mm256_add_epi64(product, half2), shift2));
}

// `rows` (a constant) rows of one output block.
AVX2 EV_INLINE void tile4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t block, int32_t *t, size_t t_stride,
    const int rows, const bool minimums) {
  const size_t record_bytes = ev_linear4_record_bytes(minimums), records = (size_t)w->in_padded / 64;
  const uint8_t *record = w->packed + (size_t)block * records * record_bytes;
  ev_group_sums sums[TILE_ROWS];
  __m256i y[TILE_ROWS][4];  // int64, outputs 4 k...4 k + 3
  EV_UNROLL for (int r = 0; r < rows; r++) {
    sums[r] = ev_group_sums_of(planes + (size_t)r * plane_stride, w->in_padded);
    EV_UNROLL for (int k = 0; k < 4; k++) y[r][k] = _mm256_setzero_si256();
  }
  for (size_t i = 0; i < records; i++, record += record_bytes) {
    for (size_t part = 0; part < 2; part++) {
      const size_t g = 2 * i + part;
      add_group(
          record + part * 256, record + 512 + part * 32, planes + g * 64, plane_stride, sums, g, y, rows, minimums);
    }
  }
  const int32_t outputs = ev_min(16, w->out - block * 16);
  EV_UNROLL for (int r = 0; r < rows; r++) {
    int32_t results[16];
    EV_UNROLL for (int k = 0; k < 4; k++) {
      const __m128i four = scale_twice(y[r][k], w->multiplier + block * 16 + k * 4, w->shift1, w->shift2);
      _mm_storeu_si128((__m128i *)(void *)(results + k * 4), four);
    }
    memcpy(t + (size_t)r * t_stride + block * 16, results, (size_t)outputs * sizeof(int32_t));
  }
}

AVX2 EV_INLINE void multiply4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t block, int32_t *t,
    size_t t_stride, const bool minimums) {
  for (; rows == 3 || rows > 4; rows -= 3) {  // 4 are 2 and 2
    tile4(w, planes, plane_stride, block, t, t_stride, 3, minimums);
    planes += 3 * plane_stride;
    t += 3 * t_stride;
  }
  for (; rows >= 2; rows -= 2) {
    tile4(w, planes, plane_stride, block, t, t_stride, 2, minimums);
    planes += 2 * plane_stride;
    t += 2 * t_stride;
  }
  if (rows == 1) tile4(w, planes, plane_stride, block, t, t_stride, 1, minimums);
}

AVX2 static void linear4(
    const ev_linear4 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const uint8_t *p = (const uint8_t *)planes;
  for (int32_t block = block_begin; block < block_end; block++) {
    if (w->minimums) multiply4(w, p, plane_stride, rows, block, t, t_stride, true);
    else multiply4(w, p, plane_stride, rows, block, t, t_stride, false);
  }
}
