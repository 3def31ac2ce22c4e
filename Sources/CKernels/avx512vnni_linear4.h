// linear4 and linear4m of the AVX-512 set; included by avx512vnni.c.
//
// The nibbles u are the signed operand of vpdpbusd, the bytes of a = q + 32768 the unsigned one. With A the sum of a
// over a group, s = 256 Σ u H + Σ u L - 8 A = Σ (u - 8) q + 32768 Σ (u - 8) is below 2^24, and the second part, times
// G and summed over the groups, is the weight's `offset`, the same for every activation. For linear4m,
// u G - B = (u - 8) G + (8 G - B): the second part times the sum of the group's q, all below 2^62.

// Three rows by two blocks are 24 sums, the most that leave registers for the rest; a tile of 4 rows only spares single
// rows.
enum { TILE4_ROWS = 4, TILE4_BLOCKS = 2 };

AVX512 EV_INLINE __m512i decode_multipliers(const uint8_t *at) {
  const __m512i g = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)at));
  const __m512i mantissa = _mm512_and_si512(g, _mm512_set1_epi32(2047));
  const __m512i shift = _mm512_and_si512(_mm512_srli_epi32(g, 11), _mm512_set1_epi32(15));
  const __m512i magnitude = _mm512_sllv_epi32(mantissa, shift);
  const __mmask16 negative = _mm512_test_epi32_mask(g, _mm512_set1_epi32(0x8000));
  return _mm512_mask_sub_epi32(magnitude, negative, _mm512_setzero_si512(), magnitude);
}

// y += s * factor, even and odd outputs apart.
AVX512 EV_INLINE void add_products(__m512i *y, __m512i s, __m512i factor) {
  const __m512i s_odd = _mm512_srli_epi64(s, 32), factor_odd = _mm512_srli_epi64(factor, 32);
  y[0] = _mm512_add_epi64(y[0], _mm512_mul_epi32(s, factor));
  y[1] = _mm512_add_epi64(y[1], _mm512_mul_epi32(s_odd, factor_odd));
}

// RS(RS(y, s1) * M, s2) of the even or the odd 8 outputs.
AVX512 EV_INLINE __m512i scale_twice(__m512i y, __m512i multiplier, int32_t shift1, int32_t shift2) {
  const __m512i half1 = _mm512_set1_epi64(ev_half(shift1)), half2 = _mm512_set1_epi64(ev_half(shift2));
  const __m512i z = _mm512_sra_epi64(_mm512_add_epi64(y, half1), _mm_cvtsi32_si128(shift1));
  const __m512i product = _mm512_mullo_epi64(z, multiplier);
  return _mm512_sra_epi64(_mm512_add_epi64(product, half2), _mm_cvtsi32_si128(shift2));
}

// Outputs of a block from y, even and odd outputs apart; `offset` and `multiplier` are the block's.
AVX512 EV_INLINE __m512i scaled_outputs(
    const __m512i *y, const int64_t *offset, const uint32_t *multipliers, int32_t shift1, int32_t shift2) {
  const __m512i multiplier = _mm512_loadu_si512(multipliers);
  const __m512i multiplier_even = _mm512_and_si512(multiplier, _mm512_set1_epi64(0xffffffff));
  const __m512i offset_even = _mm512_loadu_si512(offset), offset_odd = _mm512_loadu_si512(offset + 8);
  const __m512i even = scale_twice(_mm512_sub_epi64(y[0], offset_even), multiplier_even, shift1, shift2);
  const __m512i odd =
      scale_twice(_mm512_sub_epi64(y[1], offset_odd), _mm512_srli_epi64(multiplier, 32), shift1, shift2);
  return _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

AVX512 EV_INLINE void store_outputs(const ev_linear4 *w, int32_t block, const __m512i *y, int32_t *t) {
  const __m512i result =
      scaled_outputs(y, w->offset + block * 16, w->multiplier + block * 16, w->shift1, w->shift2);
  _mm512_mask_storeu_epi32(t + block * 16, lanes_below(w->out - block * 16), result);
}

// The groups of one row: where their activations and their sums lie.
typedef struct {
  const uint8_t *planes;
  ev_group_sums sums;
} row4;

AVX512 EV_INLINE row4 row4_of(const ev_linear4 *w, const uint8_t *planes) {
  return (row4){planes, ev_group_sums_of(planes, w->in_padded)};
}

// Adds the group `g` of `rows` rows and `blocks` blocks to y; `record` is that of the first block. `rows`, `blocks`
// and `minimums` are constants where this is inlined.
AVX512 EV_INLINE void add_group(
    const uint8_t *record, size_t block_bytes, const row4 *row, size_t g, __m512i y[][TILE4_BLOCKS][2],
    const int rows, const int blocks, const bool minimums) {
  const __m512i nibble = _mm512_set1_epi8(15);
  const uint8_t *nibbles = record + g % 2 * 256;
  __m512i high[TILE4_ROWS][TILE4_BLOCKS], low[TILE4_ROWS][TILE4_BLOCKS];
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      high[r][b] = _mm512_setzero_si512();
      low[r][b] = broadcast32(row[r].sums.initial + g);
    }
  }
  EV_UNROLL for (size_t m = 0; m < 8; m++) {
    __m512i u[TILE4_BLOCKS];
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      const __m512i both = _mm512_loadu_si512(nibbles + (size_t)b * block_bytes + m / 2 * 64);
      u[b] = _mm512_and_si512(m % 2 ? _mm512_srli_epi16(both, 4) : both, nibble);
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const uint8_t *four = row[r].planes + g * 64 + m * 8;
      const __m512i h = broadcast32(four), l = broadcast32(four + 4);
      EV_UNROLL for (int b = 0; b < blocks; b++) {
        high[r][b] = _mm512_dpbusd_epi32(high[r][b], h, u[b]);
        low[r][b] = _mm512_dpbusd_epi32(low[r][b], l, u[b]);
      }
    }
  }
  EV_UNROLL for (int b = 0; b < blocks; b++) {
    const uint8_t *at = record + (size_t)b * block_bytes + 512 + g % 2 * 32;
    const __m512i multiplier = decode_multipliers(at);
    EV_UNROLL for (int r = 0; r < rows; r++) {
      add_products(y[r][b], _mm512_add_epi32(low[r][b], _mm512_slli_epi32(high[r][b], 8)), multiplier);
    }
    if (minimums) {
      const __m512i minimum = _mm512_slli_epi32(decode_multipliers(at + 64), 4);
      const __m512i rest = _mm512_sub_epi32(_mm512_slli_epi32(multiplier, 3), minimum);
      EV_UNROLL for (int r = 0; r < rows; r++) add_products(y[r][b], broadcast32(row[r].sums.sum + g), rest);
    }
  }
}

// `rows` by `blocks` of the product over the whole input. Meanwhile `fetches` blocks of the next panel, from its
// block `fetch` on, come into the second-level cache. All but `fetch` are constants where this is inlined.
AVX512 EV_INLINE void tile4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t block, int32_t *t, size_t t_stride,
    int fetch, const int rows, const int blocks, const int fetches, const bool minimums) {
  const size_t record_bytes = ev_linear4_record_bytes(minimums), records = (size_t)w->in_padded / 64;
  const size_t block_bytes = records * record_bytes;
  const uint8_t *packed = w->packed + (size_t)block * block_bytes;
  row4 row[TILE4_ROWS];
  __m512i y[TILE4_ROWS][TILE4_BLOCKS][2];
  EV_UNROLL for (int r = 0; r < rows; r++) {
    row[r] = row4_of(w, planes + (size_t)r * plane_stride);
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      y[r][b][0] = y[r][b][1] = _mm512_setzero_si512();
      // The lines that stores would wait for, one row after the other.
      __builtin_prefetch(t + (size_t)r * t_stride + (block + b) * 16, 1, 3);
    }
  }
  const char *ahead = (const char *)packed + (size_t)(blocks + fetch) * block_bytes;
  for (size_t i = 0; i < records; i++) {
    const uint8_t *record = packed + i * record_bytes;
    for (size_t part = 0; part < 2; part++) {
      EV_UNROLL for (int b = 0; b < fetches; b++) {
        const char *next = ahead + (size_t)b * block_bytes + i * record_bytes + part * record_bytes / 2;
        EV_UNROLL for (size_t line = 0; line < 5; line++) _mm_prefetch(next + line * 64, _MM_HINT_T1);
      }
      add_group(record, block_bytes, row, 2 * i + part, y, rows, blocks, minimums);
    }
  }
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int b = 0; b < blocks; b++) store_outputs(w, block + b, y[r][b], t + (size_t)r * t_stride);
  }
}

// All rows of `blocks` output blocks, as in linear8, three at a time.
AVX512 EV_INLINE void panel4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t block, int32_t *t,
    size_t t_stride, const int blocks, const int fetches, const bool minimums) {
  int fetch = 0;
  for (; rows == 3 || rows > 4; rows -= 3) {
    tile4(w, planes, plane_stride, block, t, t_stride, fetch, 3, blocks, fetches, minimums);
    planes += 3 * plane_stride;
    t += 3 * t_stride;
    fetch = fetch + fetches < blocks ? fetch + fetches : 0;
  }
  switch (rows) {
    case 4: tile4(w, planes, plane_stride, block, t, t_stride, fetch, 4, blocks, fetches, minimums); break;
    case 2: tile4(w, planes, plane_stride, block, t, t_stride, fetch, 2, blocks, fetches, minimums); break;
    case 1: tile4(w, planes, plane_stride, block, t, t_stride, fetch, 1, blocks, fetches, minimums); break;
    default: break;
  }
}

// One row of one block: a single stream through memory.
AVX512 EV_INLINE void one_row_block4(
    const ev_linear4 *w, const uint8_t *planes, int32_t block, int32_t *t, const bool minimums) {
  const size_t record_bytes = ev_linear4_record_bytes(minimums), records = (size_t)w->in_padded / 64;
  const uint8_t *record = w->packed + (size_t)block * records * record_bytes;
  const row4 row = row4_of(w, planes);
  __m512i y[1][TILE4_BLOCKS][2];
  y[0][0][0] = y[0][0][1] = _mm512_setzero_si512();
  for (size_t i = 0; i < records; i++, record += record_bytes) {
    EV_UNROLL for (size_t line = 0; line < 10; line++) {
      if (line * 64 < record_bytes) _mm_prefetch((const char *)record + 6144 + line * 64, _MM_HINT_T0);
    }
    add_group(record, 0, &row, 2 * i, y, 1, 1, minimums);
    add_group(record, 0, &row, 2 * i + 1, y, 1, 1, minimums);
  }
  store_outputs(w, block, y[0][0], t);
}

AVX512 EV_INLINE void multiply4(
    const ev_linear4 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t block, int32_t block_end,
    int32_t *t, size_t t_stride, const bool minimums) {
  if (rows == 1) {
    for (; block < block_end; block++) one_row_block4(w, planes, block, t, minimums);
    return;
  }
  for (; block + TILE4_BLOCKS <= block_end; block += TILE4_BLOCKS) {
    if (rows <= 2 * TILE4_ROWS) {
      panel4(w, planes, plane_stride, rows, block, t, t_stride, TILE4_BLOCKS, TILE4_BLOCKS, minimums);
    } else {
      panel4(w, planes, plane_stride, rows, block, t, t_stride, TILE4_BLOCKS, 1, minimums);
    }
  }
  if (block_end - block == 1) panel4(w, planes, plane_stride, rows, block, t, t_stride, 1, 1, minimums);
}

AVX512 static void linear4(
    const ev_linear4 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const uint8_t *p = (const uint8_t *)planes;
  if (w->minimums) multiply4(w, p, plane_stride, rows, block_begin, block_end, t, t_stride, true);
  else multiply4(w, p, plane_stride, rows, block_begin, block_end, t, t_stride, false);
}
