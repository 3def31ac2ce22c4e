// linear16 of the AVX-512 set; included by avx512vnni.c.
//
// With w = 256 A + B + 128 and q = 256 H + L - 32768, vpdpbusd multiplies each byte of the one by each of the other:
// y = 65536 Σ A H + 256 (Σ A L + Σ B H) + Σ B L - 2^15 Σ (w - 128) + 128 Σ q. Every sum is exact in int32, as in
// linear8; the last but one is the weight's `offset`.

enum { TILE16_ROWS = 3, TILE16_BLOCKS = 2 };

AVX512 EV_INLINE __m512i scaled16(__m512i sum, int32_t factor) {
  return _mm512_mul_epi32(sum, _mm512_set1_epi64(factor));
}

// y of the even outputs, or of the odd ones after a shift.
AVX512 EV_INLINE __m512i joined16(const __m512i *sums, int64_t rest) {
  const __m512i high = _mm512_add_epi64(scaled16(sums[0], 65536), scaled16(sums[1], 256));
  const __m512i low = _mm512_add_epi64(scaled16(sums[2], 256), scaled16(sums[3], 1));
  return _mm512_add_epi64(_mm512_add_epi64(high, low), _mm512_set1_epi64(rest));
}

// 128 Σ q.
EV_INLINE int64_t rest16(const uint8_t *planes, int32_t n_padded) {
  const ev_group_sums sums = ev_group_sums_of(planes, n_padded);
  int64_t sum = 0;
  for (int32_t g = 0; g < n_padded / 32; g++) sum += sums.sum[g];
  return 128 * sum;
}

// `rows` by `blocks`, both constants, of the product, held in registers over the whole input.
AVX512 EV_INLINE void tile16(
    const ev_linear16 *w, const uint8_t *planes, size_t plane_stride, int32_t block, int32_t *t, size_t t_stride,
    const int rows, const int blocks) {
  const size_t block_bytes = (size_t)w->in_padded * 32, groups = (size_t)w->in_padded / 4;
  const int8_t *packed = w->packed + (size_t)block * block_bytes;
  __m512i sums[TILE16_ROWS][TILE16_BLOCKS][4];  // A H, A L, B H, B L
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      EV_UNROLL for (int k = 0; k < 4; k++) sums[r][b][k] = _mm512_setzero_si512();
    }
  }
  for (size_t g = 0; g < groups; g++) {
    __m512i weights[TILE16_BLOCKS][2];
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      const int8_t *at = packed + (size_t)b * block_bytes + g * 128;
      EV_UNROLL for (size_t k = 0; k < 2; k++) weights[b][k] = _mm512_loadu_si512(at + k * 64);
      if (rows == 1) {
        EV_UNROLL for (size_t k = 0; k < 2; k++) _mm_prefetch((const char *)at + 4096 + k * 64, _MM_HINT_T0);
      }
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const uint8_t *group = planes + (size_t)r * plane_stride + g * 8;
      const __m512i h = broadcast32(group), l = broadcast32(group + 4);
      EV_UNROLL for (int b = 0; b < blocks; b++) {
        EV_UNROLL for (int k = 0; k < 4; k++) {
          sums[r][b][k] = _mm512_dpbusd_epi32(sums[r][b][k], k % 2 ? l : h, weights[b][k / 2]);
        }
      }
    }
  }
  EV_UNROLL for (int r = 0; r < rows; r++) {
    const int64_t rest = rest16(planes + (size_t)r * plane_stride, w->in_padded);
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      const int32_t output = (block + b) * 16;
      __m512i y[2];
      y[0] = joined16(sums[r][b], rest);
      EV_UNROLL for (int k = 0; k < 4; k++) sums[r][b][k] = _mm512_srli_epi64(sums[r][b][k], 32);
      y[1] = joined16(sums[r][b], rest);
      const __m512i result = scaled_outputs(y, w->offset + output, w->multiplier + output, w->shift1, w->shift2);
      _mm512_mask_storeu_epi32(t + (size_t)r * t_stride + output, lanes_below(w->out - output), result);
    }
  }
}

// All rows of `blocks` (a constant) output blocks: the weights stay in cache while the rows pass.
AVX512 EV_INLINE void panel16(
    const ev_linear16 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t block, int32_t *t,
    size_t t_stride, const int blocks) {
  for (; rows >= TILE16_ROWS; rows -= TILE16_ROWS) {
    tile16(w, planes, plane_stride, block, t, t_stride, TILE16_ROWS, blocks);
    planes += (size_t)TILE16_ROWS * plane_stride;
    t += (size_t)TILE16_ROWS * t_stride;
  }
  if (rows == 2) tile16(w, planes, plane_stride, block, t, t_stride, 2, blocks);
  if (rows == 1) tile16(w, planes, plane_stride, block, t, t_stride, 1, blocks);
}

AVX512 static void linear16(
    const ev_linear16 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const uint8_t *p = (const uint8_t *)planes;
  int32_t block = block_begin;
  if (rows > 1) {
    for (; block + TILE16_BLOCKS <= block_end; block += TILE16_BLOCKS) {
      panel16(w, p, plane_stride, rows, block, t, t_stride, TILE16_BLOCKS);
    }
  }
  for (; block < block_end; block++) panel16(w, p, plane_stride, rows, block, t, t_stride, 1);
}
