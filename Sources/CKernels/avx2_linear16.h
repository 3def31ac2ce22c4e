// linear16 of the AVX2 set; included by avx2.c.
//
// vpmaddwd multiplies the int16 weights by the two parts of q = 256 h + l, -128 <= h <= 127, 0 <= l <= 255. A lane
// gains at most 2 * 255 * 32768 per group of 4 inputs, so 64 groups fit (64 * 2 * 255 * 32768 < 2^31).

enum { TILE16_ROWS = 2, FLUSH16_GROUPS = 64 };

// The 4 inputs of a group of 4 outputs; `at` points to their A, B is 64 bytes on.
AVX2 EV_INLINE __m256i weights16(const int8_t *at) {
  const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)at);
  const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(at + 64));
  const __m128i low = _mm_xor_si128(b, _mm_set1_epi8((char)0x80));  // B + 128
  return _mm256_or_si256(_mm256_slli_epi16(_mm256_cvtepi8_epi16(a), 8), _mm256_cvtepu8_epi16(low));
}

AVX2 EV_INLINE __m256i widened_sum(__m256i v) { return _mm256_add_epi64(widen_even(v), widen_odd(v)); }

// `rows` (a constant) rows of the half block of 8 outputs from `output` on.
AVX2 EV_INLINE void tile16(
    const ev_linear16 *w, const uint8_t *planes, size_t plane_stride, int32_t output, int32_t *t, size_t t_stride,
    const int rows) {
  const size_t groups = (size_t)w->in_padded / 4;
  const int8_t *packed = w->packed + (size_t)(output / 16) * (size_t)w->in_padded * 32 + (size_t)(output % 16) * 4;
  __m256i y[TILE16_ROWS][2];  // int64 of 4 outputs
  EV_UNROLL for (int r = 0; r < rows; r++) y[r][0] = y[r][1] = _mm256_setzero_si256();
  for (size_t begin = 0; begin < groups; begin += FLUSH16_GROUPS) {
    const size_t end = begin + FLUSH16_GROUPS < groups ? begin + FLUSH16_GROUPS : groups;
    __m256i high[TILE16_ROWS][2], low[TILE16_ROWS][2];  // int32, two halves of each output
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int k = 0; k < 2; k++) high[r][k] = low[r][k] = _mm256_setzero_si256();
    }
    for (size_t g = begin; g < end; g++) {
      __m256i weights[2];
      EV_UNROLL for (size_t k = 0; k < 2; k++) weights[k] = weights16(packed + g * 128 + k * 16);
      EV_UNROLL for (int r = 0; r < rows; r++) {
        const __m256i q = broadcast64(planes + (size_t)r * plane_stride + g * 8);
        const __m256i h = _mm256_srai_epi16(q, 8), l = _mm256_and_si256(q, _mm256_set1_epi16(255));
        EV_UNROLL for (int k = 0; k < 2; k++) {
          high[r][k] = _mm256_add_epi32(high[r][k], _mm256_madd_epi16(weights[k], h));
          low[r][k] = _mm256_add_epi32(low[r][k], _mm256_madd_epi16(weights[k], l));
        }
      }
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int k = 0; k < 2; k++) {
        const __m256i part = _mm256_slli_epi64(widened_sum(high[r][k]), 8);
        y[r][k] = _mm256_add_epi64(y[r][k], _mm256_add_epi64(part, widened_sum(low[r][k])));
      }
    }
  }
  const int32_t outputs = ev_min(8, w->out - output);
  EV_UNROLL for (int r = 0; r < rows; r++) {
    int32_t results[8];
    EV_UNROLL for (int k = 0; k < 2; k++) {
      const __m128i four = scale_twice(y[r][k], w->multiplier + output + k * 4, w->shift1, w->shift2);
      _mm_storeu_si128((__m128i *)(void *)(results + k * 4), four);
    }
    for (int32_t j = 0; j < outputs; j++) t[(size_t)r * t_stride + (size_t)(output + j)] = results[j];
  }
}

AVX2 static void linear16(
    const ev_linear16 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  for (int32_t output = block_begin * 16; output < block_end * 16; output += 8) {
    const uint8_t *p = (const uint8_t *)planes;
    int32_t row = 0;
    for (; row + TILE16_ROWS <= rows; row += TILE16_ROWS, p += TILE16_ROWS * plane_stride) {
      tile16(w, p, plane_stride, output, t + (size_t)row * t_stride, t_stride, TILE16_ROWS);
    }
    if (row < rows) tile16(w, p, plane_stride, output, t + (size_t)row * t_stride, t_stride, 1);
  }
}
