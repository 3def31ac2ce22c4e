// The kernel set for x86-64 with AVX2.
//
// vpmaddwd multiplies int16 and adds neighbours into int32. A lane gains at most 2 * 128 * 32767 per group of 4
// inputs, so 256 groups fit (256 * 2 * 128 * 32767 < 2^31) before it must be emptied into int64.
#if defined(__x86_64__)
#include <immintrin.h>

#include "attention.h"
#include "elementwise.h"

#define AVX2 __attribute__((target("avx2")))

EV_ELEMENTWISE_KERNELS(AVX2)

AVX2 EV_INLINE __m256i load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
AVX2 EV_INLINE void store(void *p, __m256i v) { _mm256_storeu_si256((__m256i *)p, v); }

AVX2 EV_INLINE __m256i broadcast32(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

AVX2 EV_INLINE __m256i broadcast64(const void *p) {
  int64_t eight;
  memcpy(&eight, p, sizeof eight);
  return _mm256_set1_epi64x(eight);
}

// The even int32 lanes as int64.
AVX2 EV_INLINE __m256i widen_even(__m256i v) { return _mm256_mul_epi32(v, _mm256_set1_epi32(1)); }

AVX2 EV_INLINE __m256i widen_odd(__m256i v) { return widen_even(_mm256_srli_epi64(v, 32)); }

// x >> s of int64 lanes, 0 <= s <= 63: AVX2 has only the logical shift.
AVX2 EV_INLINE __m256i shift_right64(__m256i x, int32_t s) {
  const __m128i count = _mm_cvtsi32_si128(s);
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  return _mm256_sub_epi64(
      _mm256_srl_epi64(_mm256_xor_si256(x, sign), count), _mm256_srl_epi64(sign, count));
}

// The low halves of 4 int64 lanes.
AVX2 EV_INLINE __m128i narrow64(__m256i v) {
  return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7)));
}

// All ones in the first `count` of 8 lanes.
AVX2 EV_INLINE __m256i lanes_below(int32_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// ---------------------------------------------------------------------------------------------- linear8

// Planes: the int16 activation itself.
AVX2 static void prepare(const int16_t *q, int32_t n, int32_t n_padded, bool group_sums, void *planes) {
  memcpy(planes, q, (size_t)n * sizeof(int16_t));
  memset((int16_t *)planes + n, 0, (size_t)(n_padded - n) * sizeof(int16_t));
  if (group_sums) ev_add_groups(q, n, n_padded, 0, planes);
}

enum { TILE_ROWS = 3, FLUSH_GROUPS = 256 };

// `rows` (a constant) rows of one output block.
AVX2 EV_INLINE void tile(
    const ev_linear8 *w, const uint8_t *planes, size_t plane_stride, int32_t block, int32_t *t, size_t t_stride,
    const int rows) {
  const int8_t *packed = w->packed + (size_t)block * (size_t)w->in_padded * 16;
  const size_t groups = (size_t)w->in_padded / 4;
  __m256i y[TILE_ROWS][4];  // int64, outputs 4 k...4 k + 3
  EV_UNROLL for (int r = 0; r < rows; r++) {
    EV_UNROLL for (int k = 0; k < 4; k++) y[r][k] = _mm256_setzero_si256();
  }
  for (size_t begin = 0; begin < groups; begin += FLUSH_GROUPS) {
    const size_t end = begin + FLUSH_GROUPS < groups ? begin + FLUSH_GROUPS : groups;
    __m256i sums[TILE_ROWS][4];  // int32, two halves of each output
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int k = 0; k < 4; k++) sums[r][k] = _mm256_setzero_si256();
    }
    for (size_t g = begin; g < end; g++) {
      __m256i q[TILE_ROWS];
      EV_UNROLL for (int r = 0; r < rows; r++) q[r] = broadcast64(planes + (size_t)r * plane_stride + g * 8);
      EV_UNROLL for (size_t k = 0; k < 4; k++) {
        const __m256i weights =
            _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(packed + g * 64 + k * 16)));
        EV_UNROLL for (int r = 0; r < rows; r++) {
          sums[r][k] = _mm256_add_epi32(sums[r][k], _mm256_madd_epi16(weights, q[r]));
        }
      }
    }
    EV_UNROLL for (int r = 0; r < rows; r++) {
      EV_UNROLL for (int k = 0; k < 4; k++) {
        y[r][k] = _mm256_add_epi64(y[r][k], _mm256_add_epi64(widen_even(sums[r][k]), widen_odd(sums[r][k])));
      }
    }
  }
  const __m256i half = _mm256_set1_epi64x(ev_half(w->shift));
  const int32_t outputs = ev_min(16, w->out - block * 16);
  EV_UNROLL for (int r = 0; r < rows; r++) {
    int32_t results[16];
    EV_UNROLL for (int k = 0; k < 4; k++) {
      const void *at = w->multiplier + block * 16 + k * 4;
      const __m256i multiplier = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)at));
      // y * M modulo 2^64, where the true product lies within 2^62.
      const __m256i low = _mm256_mul_epu32(y[r][k], multiplier);
      const __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(y[r][k], 32), multiplier);
      const __m256i product = _mm256_add_epi64(low, _mm256_slli_epi64(high, 32));
      const __m256i result = shift_right64(_mm256_add_epi64(product, half), w->shift);
      _mm_storeu_si128((__m128i *)(void *)(results + k * 4), narrow64(result));
    }
    memcpy(t + (size_t)r * t_stride + block * 16, results, (size_t)outputs * sizeof(int32_t));
  }
}

AVX2 static void linear8(
    const ev_linear8 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  for (int32_t block = block_begin; block < block_end; block++) {
    const uint8_t *p = (const uint8_t *)planes;
    int32_t *out = t;
    int32_t left = rows;
    for (; left == 3 || left > 4; left -= 3) {  // 4 are 2 and 2
      tile(w, p, plane_stride, block, out, t_stride, 3);
      p += 3 * plane_stride;
      out += 3 * t_stride;
    }
    for (; left >= 2; left -= 2) {
      tile(w, p, plane_stride, block, out, t_stride, 2);
      p += 2 * plane_stride;
      out += 2 * t_stride;
    }
    if (left == 1) tile(w, p, plane_stride, block, out, t_stride, 1);
  }
}

#include "avx2_linear4.h"
#include "avx2_linear16.h"

// -------------------------------------------------------------------------------------------- attention

enum { SCORE_QUERIES = 2, VALUE_QUERIES = 2, VALUE_VECTORS = 2 };

// All ones in the lanes 0...7, standing for positions from `position` on, that lie in first...last.
AVX2 EV_INLINE __m256i visible_lanes(int32_t position, int32_t first, int32_t last) {
  return _mm256_andnot_si256(lanes_below(first - position), lanes_below(last + 1 - position));
}

// b of 4.6 step 2 from the sums s and n = e_q + e_k + 12.
AVX2 EV_INLINE __m256i scaled_score(__m256i s, __m256i n) {
  const __m256i one = _mm256_set1_epi32(1), zero = _mm256_setzero_si256();
  // n <= -2: half of the rounding shift first, so that adding 1 cannot overflow; the result needs no clamp.
  if (_mm256_movemask_epi8(_mm256_cmpgt_epi32(n, _mm256_set1_epi32(-2))) == 0) {
    const __m256i shift = _mm256_sub_epi32(_mm256_set1_epi32(-1), n);
    return _mm256_srai_epi32(_mm256_add_epi32(_mm256_srav_epi32(s, shift), one), 1);
  }
  const __m256i limit = _mm256_set1_epi32((1 << 30) - 1);
  const __m256i left = _mm256_min_epi32(_mm256_max_epi32(n, zero), _mm256_set1_epi32(30));
  const __m256i largest = _mm256_srlv_epi32(_mm256_set1_epi32(1 << 30), left);
  const __m256i bounded = _mm256_max_epi32(_mm256_min_epi32(s, largest), _mm256_sub_epi32(zero, largest));
  const __m256i shifted_left = _mm256_sllv_epi32(bounded, left);
  const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, n), one);
  const __m256i round = _mm256_and_si256(_mm256_srav_epi32(s, _mm256_sub_epi32(right, one)), one);
  const __m256i shifted_right = _mm256_add_epi32(_mm256_srav_epi32(s, right), round);
  const __m256i b = _mm256_blendv_epi8(shifted_left, shifted_right, _mm256_cmpgt_epi32(zero, n));
  return _mm256_max_epi32(_mm256_min_epi32(b, limit), _mm256_sub_epi32(zero, limit));
}

// Scores of `queries` queries (a constant) from `query` on with half a page: 32 keys from slot `slot` on.
AVX2 EV_INLINE void score_keys(const ev_pass *p, int32_t page_index, size_t slot, int32_t query, const int queries) {
  const size_t hd = (size_t)p->a->hd;
  const ev_page page = ev_page_of(p->a, page_index);
  const int16_t *keys = page.keys + slot * hd;
  __m256i sums[SCORE_QUERIES][4];
  EV_UNROLL for (int i = 0; i < queries; i++) {
    EV_UNROLL for (int k = 0; k < 4; k++) sums[i][k] = _mm256_setzero_si256();
  }
  for (size_t c = 0; c < hd; c += 2) {
    __m256i pairs[SCORE_QUERIES];
    EV_UNROLL for (int i = 0; i < queries; i++) pairs[i] = broadcast32(p->q[query + i] + c);
    EV_UNROLL for (size_t k = 0; k < 4; k++) {
      const __m256i eight = load(keys + k / 2 * 16 * hd + c * 16 + k % 2 * 16);
      EV_UNROLL for (int i = 0; i < queries; i++) {
        sums[i][k] = _mm256_add_epi32(sums[i][k], _mm256_madd_epi16(eight, pairs[i]));
      }
    }
  }
  const size_t at = (size_t)(page_index - p->page_begin) * EV_PAGE_POSITIONS + slot;
  EV_UNROLL for (int i = 0; i < queries; i++) {
    const __m256i exponent = _mm256_set1_epi32(p->q_exponent[query + i] + 12);
    int32_t *scores = p->scores + (size_t)(query + i) * p->span + at;
    EV_UNROLL for (int k = 0; k < 4; k++) {
      const __m256i n = _mm256_add_epi32(exponent, load(page.key_exponent + slot + k * 8));
      store(scores + k * 8, scaled_score(sums[i][k], n));
    }
  }
}

AVX2 static void score(const ev_pass *p) {
  for (int32_t page = p->page_begin; page < p->page_end; page++) {
    for (size_t slot = 0; slot < EV_PAGE_POSITIONS; slot += 32) {
      int32_t query = 0;
      for (; query + 2 <= p->queries; query += 2) score_keys(p, page, slot, query, 2);
      if (query < p->queries) score_keys(p, page, slot, query, 1);
    }
  }
}

// T of section 5 in the low 16 bits of each lane, from f there; every product is RS(h * x, 15).
AVX2 EV_INLINE __m256i exp2_table(__m256i f) {
  const __m256i x = _mm256_slli_epi32(f, 3);
  __m256i h = _mm256_sub_epi16(_mm256_set1_epi32(1748), _mm256_mulhrs_epi16(_mm256_set1_epi32(224), x));
  h = _mm256_sub_epi16(_mm256_set1_epi32(7853), _mm256_mulhrs_epi16(h, x));
  h = _mm256_sub_epi16(_mm256_set1_epi32(22713), _mm256_mulhrs_epi16(h, x));
  return _mm256_sub_epi16(_mm256_set1_epi32(32768), _mm256_mulhrs_epi16(h, x));
}

// p' of 8 positions; adds their p to `sum`.
AVX2 EV_INLINE __m256i weights_of(__m256i delta, __m256i below, __m256i lanes, __m256i *sum) {
  const __m256i one = _mm256_set1_epi32(1);
  // RS(T << 9, ip) = ((T << 10 >> ip) + 1) >> 1.
  const __m256i t = _mm256_slli_epi32(exp2_table(_mm256_and_si256(delta, _mm256_set1_epi32(4095))), 10);
  const __m256i ip = _mm256_srli_epi32(delta, 12);
  const __m256i weight = _mm256_srli_epi32(_mm256_add_epi32(_mm256_srlv_epi32(t, ip), one), 1);
  *sum = _mm256_add_epi32(*sum, _mm256_and_si256(weight, lanes));
  const __m256i shifted = _mm256_srlv_epi32(t, _mm256_add_epi32(ip, below));
  return _mm256_and_si256(_mm256_srli_epi32(_mm256_add_epi32(shifted, one), 1), lanes);
}

AVX2 EV_INLINE int64_t sum_of_lanes(__m256i v) {
  int64_t lanes[4];
  store(lanes, _mm256_add_epi64(widen_even(v), widen_odd(v)));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

AVX2 static int32_t largest_score(const ev_pass *p, const int32_t *scores, int32_t first, int32_t last) {
  const int32_t begin = p->page_begin * EV_PAGE_POSITIONS;
  const __m256i lowest = _mm256_set1_epi32(INT32_MIN);
  __m256i largest = lowest;
  for (int32_t at = 0; at < (int32_t)p->span; at += 8) {
    const __m256i lanes = visible_lanes(begin + at, first, last);
    largest = _mm256_max_epi32(largest, _mm256_blendv_epi8(lowest, load(scores + at), lanes));
  }
  int32_t eight[8], result = INT32_MIN;
  store(eight, largest);
  for (int i = 0; i < 8; i++) result = ev_max(result, eight[i]);
  return result;
}

AVX2 static int64_t weigh(
    const ev_pass *p, int32_t *scores, int32_t first, int32_t last, int32_t score_max, int32_t value_exponent_max) {
  const __m256i b_max = _mm256_set1_epi32(score_max);
  const __m256i exponent_max = _mm256_set1_epi32(value_exponent_max), low = _mm256_set1_epi32(4095);
  int64_t total = 0;
  for (int32_t page_index = p->page_begin; page_index < p->page_end; page_index++) {
    const ev_page page = ev_page_of(p->a, page_index);
    __m256i sum = _mm256_setzero_si256();
    for (int32_t k = 0; k < EV_PAGE_POSITIONS; k += 16, scores += 16) {
      __m256i weights[2];
      EV_UNROLL for (int part = 0; part < 2; part++) {
        const int32_t slot = k + part * 8;
        const __m256i delta = _mm256_sub_epi32(b_max, load(scores + part * 8));
        const __m256i below = _mm256_sub_epi32(exponent_max, load(page.value_exponent + slot));
        const __m256i lanes = visible_lanes(page_index * EV_PAGE_POSITIONS + slot, first, last);
        weights[part] = weights_of(delta, below, lanes, &sum);
      }
      const __m256i upper = _mm256_packus_epi32(_mm256_srli_epi32(weights[0], 12), _mm256_srli_epi32(weights[1], 12));
      const __m256i lower =
          _mm256_packus_epi32(_mm256_and_si256(weights[0], low), _mm256_and_si256(weights[1], low));
      store(scores, _mm256_permute4x64_epi64(upper, _MM_SHUFFLE(3, 1, 2, 0)));
      store(scores + 8, _mm256_permute4x64_epi64(lower, _MM_SHUFFLE(3, 1, 2, 0)));
    }
    total += sum_of_lanes(sum);
  }
  return total;
}

// Adds to the sums of `queries` queries the values of the pages, in `vectors` vectors of 8 channels from `channel`
// on, the last of them with `lanes` lanes. `queries` and `vectors` are constants.
AVX2 EV_INLINE void add_vectors(
    const ev_pass *p, int32_t page_begin, int32_t page_end, int32_t query, int32_t channel, int32_t lanes,
    const int queries, const int vectors) {
  const size_t hd = (size_t)p->a->hd, padded = (size_t)ev_padded_head(p->a->hd);
  const __m256i mask = lanes_below(lanes);
  __m256i upper[VALUE_QUERIES][VALUE_VECTORS], lower[VALUE_QUERIES][VALUE_VECTORS];
  EV_UNROLL for (int i = 0; i < queries; i++) {
    EV_UNROLL for (int v = 0; v < vectors; v++) upper[i][v] = lower[i][v] = _mm256_setzero_si256();
  }
  for (int32_t index = page_begin; index < page_end; index++) {
    const int16_t *values = ev_page_of(p->a, index).values + (size_t)channel * 2;
    const int32_t *limbs = p->scores + (size_t)query * p->span + (size_t)(index - p->page_begin) * EV_PAGE_POSITIONS;
    for (size_t pair = 0; pair < EV_PAGE_POSITIONS / 2; pair++, values += 2 * hd) {
      __m256i value[VALUE_VECTORS];
      EV_UNROLL for (int v = 0; v < vectors - 1; v++) value[v] = load(values + v * 16);
      value[vectors - 1] = _mm256_maskload_epi32((const int *)(const void *)(values + (vectors - 1) * 16), mask);
      const size_t at = pair / 8 * 16 + pair % 8;
      EV_UNROLL for (size_t i = 0; i < (size_t)queries; i++) {
        const __m256i u = broadcast32(limbs + i * p->span + at), l = broadcast32(limbs + i * p->span + at + 8);
        EV_UNROLL for (int v = 0; v < vectors; v++) {
          upper[i][v] = _mm256_add_epi32(upper[i][v], _mm256_madd_epi16(value[v], u));
          lower[i][v] = _mm256_add_epi32(lower[i][v], _mm256_madd_epi16(value[v], l));
        }
      }
    }
  }
  EV_UNROLL for (int i = 0; i < queries; i++) {
    int64_t *sums = p->sums + (size_t)(query + i) * padded + (size_t)channel;
    EV_UNROLL for (int v = 0; v < vectors; v++) {
      EV_UNROLL for (int part = 0; part < 2; part++) {
        const __m128i u = part ? _mm256_extracti128_si256(upper[i][v], 1) : _mm256_castsi256_si128(upper[i][v]);
        const __m128i l = part ? _mm256_extracti128_si256(lower[i][v], 1) : _mm256_castsi256_si128(lower[i][v]);
        const __m256i both =
            _mm256_add_epi64(_mm256_slli_epi64(_mm256_cvtepi32_epi64(u), 12), _mm256_cvtepi32_epi64(l));
        int64_t *sum = sums + v * 8 + part * 4;
        store(sum, _mm256_add_epi64(load(sum), both));
      }
    }
  }
}

AVX2 EV_INLINE void add_channels(const ev_pass *p, int32_t begin, int32_t end, int32_t query, const int queries) {
  for (int32_t channel = 0; channel < p->a->hd; channel += 8 * VALUE_VECTORS) {
    const int32_t left = p->a->hd - channel;
    if (left > 8) add_vectors(p, begin, end, query, channel, left - 8, queries, 2);
    else add_vectors(p, begin, end, query, channel, left, queries, 1);
  }
}

AVX2 static void add_values(const ev_pass *p, int32_t page_begin, int32_t page_end) {
  int32_t query = 0;
  for (; query + 2 <= p->queries; query += 2) add_channels(p, page_begin, page_end, query, 2);
  if (query < p->queries) add_channels(p, page_begin, page_end, query, 1);
}

AVX2 static void normalise(const int64_t *sums, int32_t shift, int64_t factor, int32_t hd, int32_t *out) {
  const __m256i half = _mm256_set1_epi64x(ev_half(shift)), factors = _mm256_set1_epi64x(factor);
  for (int32_t c = 0; c < hd; c += 4) {
    const __m256i a = shift_right64(_mm256_add_epi64(load(sums + c), half), shift);
    const __m256i scaled = _mm256_add_epi64(_mm256_mul_epi32(a, factors), _mm256_set1_epi64x(1 << 16));
    int32_t four[4];
    _mm_storeu_si128((__m128i *)(void *)four, narrow64(shift_right64(scaled, 17)));
    memcpy(out + c, four, (size_t)ev_min(4, hd - c) * sizeof(int32_t));
  }
}

static const ev_attention_steps steps = {score, cap_scores, largest_score, weigh, add_values, normalise};

EV_ATTENTION_KERNELS(AVX2)

const ev_kernel_set ev_kernels_avx2 = {
    .name = "avx2",
    .prepare = prepare,
    .linear8 = linear8,
    .linear4 = linear4,
    .linear16 = linear16,
    EV_ATTENTION_FIELDS,
    EV_ELEMENTWISE_FIELDS,
};
#endif
