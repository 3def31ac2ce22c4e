// The kernel set for x86-64 with AVX-512 (F, BW, VL, DQ) and VNNI.
//
// vpdpbusd multiplies unsigned by signed bytes, so an activation q is kept as the two unsigned bytes of
// q + 32768 = 256 H + L, and y = 256 (Σ w H - 128 Σ w) + Σ w L. Both sums are exact in int32: at most
// 255 * 128 * 65535 < 2^31.
#if defined(__x86_64__)
#include <immintrin.h>

#include "attention.h"
#include "elementwise.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

EV_ELEMENTWISE_KERNELS(AVX512)

AVX512 EV_INLINE __m512i broadcast32(const void *p) {
  int32_t four;
  memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}

AVX512 EV_INLINE __mmask16 lanes_below(int32_t count) {
  return count >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << ev_max(count, 0)) - 1);
}

// ---------------------------------------------------------------------------------------------- linear8

// Planes: for each group of 4 inputs, 4 high bytes then 4 low bytes.
AVX512 static void prepare(const int16_t *q, int32_t n, int32_t n_padded, bool group_sums, void *planes) {
  const __m512i sign = _mm512_set1_epi16((int16_t)0x8000);
  const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
  for (int32_t i = 0; i < n_padded; i += 32) {
    const int32_t left = n - i;
    const __mmask32 valid = left >= 32 ? 0xffffffffu : left <= 0 ? 0 : (1u << left) - 1;
    const __m512i biased = _mm512_xor_si512(_mm512_maskz_loadu_epi16(valid, q + i), sign);
    _mm512_storeu_si512((uint8_t *)planes + (size_t)i * 2, _mm512_shuffle_epi8(biased, order));
  }
  if (group_sums) ev_add_groups(q, n, n_padded, 32768, planes);
}

// RS(y * M, s) of 16 outputs from high = Σ w H - 128 Σ w and low = Σ w L.
AVX512 EV_INLINE __m512i requantise(__m512i high, __m512i low, __m512i multiplier, __m512i half, __m128i shift) {
  const __m512i multiplier_odd = _mm512_srli_epi64(multiplier, 32);
  const __m512i high_odd = _mm512_srli_epi64(high, 32), low_odd = _mm512_srli_epi64(low, 32);
  __m512i even = _mm512_slli_epi64(_mm512_mul_epi32(high, multiplier), 8);
  __m512i odd = _mm512_slli_epi64(_mm512_mul_epi32(high_odd, multiplier_odd), 8);
  even = _mm512_add_epi64(even, _mm512_add_epi64(_mm512_mul_epi32(low, multiplier), half));
  odd = _mm512_add_epi64(odd, _mm512_add_epi64(_mm512_mul_epi32(low_odd, multiplier_odd), half));
  even = _mm512_sra_epi64(even, shift);
  odd = _mm512_slli_epi64(_mm512_sra_epi64(odd, shift), 32);
  return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

enum { TILE_ROWS = 4, TILE_BLOCKS = 3 };

// `rows` by `blocks` of the product, held in registers over the whole input. Meanwhile `fetches` blocks of the
// next panel, from its block `fetch` on, come into the second-level cache. `rows`, `blocks` and `fetches` are
// constants where this is inlined.
AVX512 EV_INLINE void tile(
    const ev_linear8 *w, const uint8_t *planes, size_t plane_stride, int32_t block, int32_t *t, size_t t_stride,
    int fetch, const int rows, const int blocks, const int fetches) {
  const size_t block_bytes = (size_t)w->in_padded * 16;
  const int8_t *packed = w->packed + (size_t)block * block_bytes;
  __m512i high[TILE_ROWS][TILE_BLOCKS], low[TILE_ROWS][TILE_BLOCKS];
  EV_UNROLL for (int b = 0; b < blocks; b++) {
    const __m512i sum = _mm512_loadu_si512(w->row_sum + (block + b) * 16);
    const __m512i bias = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, 7));
    EV_UNROLL for (int r = 0; r < rows; r++) {
      high[r][b] = bias;
      low[r][b] = _mm512_setzero_si512();
    }
  }
  const size_t groups = (size_t)w->in_padded / 4;
  const char *ahead = (const char *)packed + (size_t)(blocks + fetch) * block_bytes;
  for (size_t g = 0; g < groups; g++) {
    __m512i weights[TILE_BLOCKS];
    EV_UNROLL for (int b = 0; b < blocks; b++) {
      weights[b] = _mm512_loadu_si512(packed + (size_t)b * block_bytes + g * 64);
    }
    EV_UNROLL for (int b = 0; b < fetches; b++) _mm_prefetch(ahead + (size_t)b * block_bytes + g * 64, _MM_HINT_T1);
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const uint8_t *group = planes + (size_t)r * plane_stride + g * 8;
      const __m512i h = broadcast32(group), l = broadcast32(group + 4);
      EV_UNROLL for (int b = 0; b < blocks; b++) {
        high[r][b] = _mm512_dpbusd_epi32(high[r][b], h, weights[b]);
        low[r][b] = _mm512_dpbusd_epi32(low[r][b], l, weights[b]);
      }
    }
  }
  const __m512i half = _mm512_set1_epi64(ev_half(w->shift));
  const __m128i shift = _mm_cvtsi32_si128(w->shift);
  EV_UNROLL for (int b = 0; b < blocks; b++) {
    const int32_t output = (block + b) * 16;
    const __m512i multiplier = _mm512_loadu_si512(w->multiplier + output);
    const __mmask16 valid = lanes_below(w->out - output);
    EV_UNROLL for (int r = 0; r < rows; r++) {
      const __m512i result = requantise(high[r][b], low[r][b], multiplier, half, shift);
      _mm512_mask_storeu_epi32(t + (size_t)r * t_stride + output, valid, result);
    }
  }
}

// All rows of `blocks` output blocks: the weights stay in cache while the rows pass. Few rows have little time
// to fetch the next panel and do it in every tile; otherwise the tiles take turns.
AVX512 EV_INLINE void panel(
    const ev_linear8 *w, const uint8_t *planes, size_t plane_stride, int32_t rows, int32_t block, int32_t *t,
    size_t t_stride, const int blocks, const int fetches) {
  int fetch = 0;
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
    tile(w, planes, plane_stride, block, t, t_stride, fetch, TILE_ROWS, blocks, fetches);
    planes += (size_t)TILE_ROWS * plane_stride;
    t += (size_t)TILE_ROWS * t_stride;
    fetch = fetch + fetches < blocks ? fetch + fetches : 0;
  }
  switch (rows) {
    case 3: tile(w, planes, plane_stride, block, t, t_stride, fetch, 3, blocks, fetches); break;
    case 2: tile(w, planes, plane_stride, block, t, t_stride, fetch, 2, blocks, fetches); break;
    case 1: tile(w, planes, plane_stride, block, t, t_stride, fetch, 1, blocks, fetches); break;
    default: break;
  }
}

// One row of one block. The weights are read once, in order, so memory sees a single stream; four groups at a
// time keep the multipliers busy.
AVX512 static void one_row_block(const ev_linear8 *w, const uint8_t *planes, int32_t block, int32_t *t) {
  enum { AT_ONCE = 4 };
  const int8_t *packed = w->packed + (size_t)block * (size_t)w->in_padded * 16;
  const __m512i sum = _mm512_loadu_si512(w->row_sum + block * 16);
  __m512i high[AT_ONCE], low[AT_ONCE];
  EV_UNROLL for (int i = 0; i < AT_ONCE; i++) high[i] = low[i] = _mm512_setzero_si512();
  high[0] = _mm512_sub_epi32(high[0], _mm512_slli_epi32(sum, 7));
  const size_t groups = (size_t)w->in_padded / 4;
  for (size_t g = 0; g < groups; g += AT_ONCE) {
    EV_UNROLL for (size_t i = 0; i < AT_ONCE; i++) {
      const __m512i weights = _mm512_loadu_si512(packed + (g + i) * 64);
      _mm_prefetch((const char *)packed + (g + i) * 64 + 4096, _MM_HINT_T0);
      high[i] = _mm512_dpbusd_epi32(high[i], broadcast32(planes + (g + i) * 8), weights);
      low[i] = _mm512_dpbusd_epi32(low[i], broadcast32(planes + (g + i) * 8 + 4), weights);
    }
  }
  const __m512i h = _mm512_add_epi32(_mm512_add_epi32(high[0], high[1]), _mm512_add_epi32(high[2], high[3]));
  const __m512i l = _mm512_add_epi32(_mm512_add_epi32(low[0], low[1]), _mm512_add_epi32(low[2], low[3]));
  const __m512i result = requantise(
      h, l, _mm512_loadu_si512(w->multiplier + block * 16), _mm512_set1_epi64(ev_half(w->shift)),
      _mm_cvtsi32_si128(w->shift));
  _mm512_mask_storeu_epi32(t + block * 16, lanes_below(w->out - block * 16), result);
}

AVX512 static void linear8(
    const ev_linear8 *w, const void *planes, size_t plane_stride, int32_t rows, int32_t block_begin,
    int32_t block_end, int32_t *t, size_t t_stride) {
  const uint8_t *p = (const uint8_t *)planes;
  int32_t block = block_begin;
  if (rows == 1) {
    for (; block < block_end; block++) one_row_block(w, p, block, t);
    return;
  }
  for (; block + TILE_BLOCKS <= block_end; block += TILE_BLOCKS) {
    if (rows <= 2 * TILE_ROWS) panel(w, p, plane_stride, rows, block, t, t_stride, TILE_BLOCKS, TILE_BLOCKS);
    else panel(w, p, plane_stride, rows, block, t, t_stride, TILE_BLOCKS, 1);
  }
  if (block_end - block == 2) panel(w, p, plane_stride, rows, block, t, t_stride, 2, 1);
  if (block_end - block == 1) panel(w, p, plane_stride, rows, block, t, t_stride, 1, 1);
}

#include "avx512vnni_linear4.h"
#include "avx512vnni_linear16.h"

// -------------------------------------------------------------------------------------------- attention
//
// Scores of 64 keys by up to 4 queries, and values of up to 3 queries by 64 channels, stay in registers.
// vpdpwssd adds the products of two adjacent int16: two channels for scores, two positions for values.

enum { SCORE_QUERIES = 4, VALUE_QUERIES = 3, VALUE_VECTORS = 4, AHEAD_QUERIES = 12 };

// Lanes 0...15 standing for positions from `position` on that lie in first...last.
AVX512 EV_INLINE __mmask16 visible_lanes(int32_t position, int32_t first, int32_t last) {
  return lanes_below(last + 1 - position) & (__mmask16)~lanes_below(first - position);
}

// b of 4.6 step 2 from the sums s and n = e_q + e_k + 12.
AVX512 EV_INLINE __m512i scaled_score(__m512i s, __m512i n) {
  const __m512i one = _mm512_set1_epi32(1), zero = _mm512_setzero_si512();
  // n <= -2: half of the rounding shift first, so that adding 1 cannot overflow; the result needs no clamp.
  if (_mm512_cmpgt_epi32_mask(n, _mm512_set1_epi32(-2)) == 0) {
    const __m512i shift = _mm512_sub_epi32(_mm512_set1_epi32(-1), n);
    return _mm512_srai_epi32(_mm512_add_epi32(_mm512_srav_epi32(s, shift), one), 1);
  }
  const __m512i limit = _mm512_set1_epi32((1 << 30) - 1);
  const __m512i left = _mm512_min_epi32(_mm512_max_epi32(n, zero), _mm512_set1_epi32(30));
  const __m512i largest = _mm512_srlv_epi32(_mm512_set1_epi32(1 << 30), left);
  const __m512i bounded = _mm512_max_epi32(_mm512_min_epi32(s, largest), _mm512_sub_epi32(zero, largest));
  const __m512i shifted_left = _mm512_sllv_epi32(bounded, left);
  const __m512i right = _mm512_max_epi32(_mm512_sub_epi32(zero, n), one);
  const __m512i round = _mm512_and_si512(_mm512_srav_epi32(s, _mm512_sub_epi32(right, one)), one);
  const __m512i shifted_right = _mm512_add_epi32(_mm512_srav_epi32(s, right), round);
  const __mmask16 negative = _mm512_cmplt_epi32_mask(n, zero);
  const __m512i b = _mm512_mask_blend_epi32(negative, shifted_left, shifted_right);
  return _mm512_max_epi32(_mm512_min_epi32(b, limit), _mm512_sub_epi32(zero, limit));
}

// Lines that come into the first-level cache meanwhile: some at each of the steps through a page.
typedef struct {
  const uint8_t *at;
  int lines;
} ahead;

// The share of pass `pass` of `passes` over a page in bringing 4 lines a step, from `base` on. A single query reads as
// fast as memory gives, and many do not wait for it.
EV_INLINE ahead ahead_of(const ev_pass *p, const void *base, size_t steps, int32_t pass, int32_t passes) {
  const int32_t lines = (4 + passes - 1) / passes;
  const bool helps = p->queries > 1 && p->queries <= AHEAD_QUERIES && pass * lines < 4;
  return (ahead){(const uint8_t *)base + (size_t)(pass * lines) * steps * 64, helps ? lines : 0};
}

AVX512 EV_INLINE void fetch_step(ahead *next) {
  for (int i = 0; i < next->lines; i++) _mm_prefetch((const char *)next->at + i * 64, _MM_HINT_T0);
  next->at += next->lines * 64;
}

// Adds the products of channels c and c + 1 with 64 keys to the sums of `queries` queries.
AVX512 EV_INLINE void add_channel_pair(
    __m512i sums[][4], const int16_t *keys, const int16_t *const *q, size_t c, size_t hd, ahead *next,
    const int queries) {
  __m512i pairs[4];
  if (queries > 1) fetch_step(next);
  EV_UNROLL for (size_t k = 0; k < 4; k++) pairs[k] = _mm512_loadu_si512(keys + k * 16 * hd + c * 16);
  EV_UNROLL for (int i = 0; i < queries; i++) {
    const __m512i pair = broadcast32(q[i] + c);
    EV_UNROLL for (int k = 0; k < 4; k++) sums[i][k] = _mm512_dpwssd_epi32(sums[i][k], pairs[k], pair);
  }
}

// Scores of `queries` queries (a constant) from `query` on with the 64 keys of a page. Few queries sum
// even and odd pairs of channels apart, so that there are always 8 sums to work on.
AVX512 EV_INLINE void score_page(const ev_pass *p, int32_t page_index, int32_t query, const int queries) {
  const size_t hd = (size_t)p->a->hd, ways = queries <= 2 ? 2 : 1;
  const ev_page page = ev_page_of(p->a, page_index);
  const int16_t *const *q = p->q + query;
  // After the last keys come the first values.
  const void *after =
      page_index + 1 < p->page_end ? ev_page_of(p->a, page_index + 1).keys : ev_page_of(p->a, p->page_begin).values;
  const int32_t passes = ev_max(1, (p->queries + SCORE_QUERIES - 2) / SCORE_QUERIES);  // those of more than one query
  ahead next = ahead_of(p, after, hd / 2, query / SCORE_QUERIES, passes);
  __m512i sums[SCORE_QUERIES][4];
  EV_UNROLL for (size_t i = 0; i < (size_t)queries * ways; i++) {
    EV_UNROLL for (int k = 0; k < 4; k++) sums[i][k] = _mm512_setzero_si512();
  }
  size_t c = 0;
  for (; c + 2 * ways <= hd; c += 2 * ways) {
    EV_UNROLL for (size_t way = 0; way < ways; way++) {
      add_channel_pair(sums + way * (size_t)queries, page.keys, q, c + 2 * way, hd, &next, queries);
    }
  }
  if (c < hd) add_channel_pair(sums, page.keys, q, c, hd, &next, queries);
  if (ways == 2) {
    EV_UNROLL for (int i = 0; i < queries; i++) {
      EV_UNROLL for (int k = 0; k < 4; k++) sums[i][k] = _mm512_add_epi32(sums[i][k], sums[i + queries][k]);
    }
  }
  const size_t at = (size_t)(page_index - p->page_begin) * EV_PAGE_POSITIONS;
  EV_UNROLL for (int i = 0; i < queries; i++) {
    const __m512i exponent = _mm512_set1_epi32(p->q_exponent[query + i] + 12);
    int32_t *scores = p->scores + (size_t)(query + i) * p->span + at;
    EV_UNROLL for (int k = 0; k < 4; k++) {
      const __m512i n = _mm512_add_epi32(exponent, _mm512_loadu_si512(page.key_exponent + k * 16));
      _mm512_storeu_si512(scores + k * 16, scaled_score(sums[i][k], n));
    }
  }
}

AVX512 static void score(const ev_pass *p) {
  for (int32_t page = p->page_begin; page < p->page_end; page++) {
    int32_t query = 0;
    for (; query + 4 <= p->queries; query += 4) score_page(p, page, query, 4);
    switch (p->queries - query) {
      case 3: score_page(p, page, query, 3); break;
      case 2: score_page(p, page, query, 2); break;
      case 1: score_page(p, page, query, 1); break;
      default: break;
    }
  }
}

// T of section 5 in the low 16 bits of each lane, from f there; every product is RS(h * x, 15).
AVX512 EV_INLINE __m512i exp2_table(__m512i f) {
  const __m512i x = _mm512_slli_epi32(f, 3);
  __m512i h = _mm512_sub_epi16(_mm512_set1_epi32(1748), _mm512_mulhrs_epi16(_mm512_set1_epi32(224), x));
  h = _mm512_sub_epi16(_mm512_set1_epi32(7853), _mm512_mulhrs_epi16(h, x));
  h = _mm512_sub_epi16(_mm512_set1_epi32(22713), _mm512_mulhrs_epi16(h, x));
  return _mm512_sub_epi16(_mm512_set1_epi32(32768), _mm512_mulhrs_epi16(h, x));
}

AVX512 static int32_t largest_score(const ev_pass *p, const int32_t *scores, int32_t first, int32_t last) {
  const int32_t begin = p->page_begin * EV_PAGE_POSITIONS;
  __m512i largest = _mm512_set1_epi32(INT32_MIN);
  for (int32_t at = 0; at < (int32_t)p->span; at += 16) {
    const __mmask16 lanes = visible_lanes(begin + at, first, last);
    largest = _mm512_mask_max_epi32(largest, lanes, largest, _mm512_loadu_si512(scores + at));
  }
  return _mm512_reduce_max_epi32(largest);
}

AVX512 static int64_t weigh(
    const ev_pass *p, int32_t *scores, int32_t first, int32_t last, int32_t score_max, int32_t value_exponent_max) {
  const __m512i one = _mm512_set1_epi32(1), b_max = _mm512_set1_epi32(score_max);
  const __m512i exponent_max = _mm512_set1_epi32(value_exponent_max);
  __m512i sum = _mm512_setzero_si512();
  for (int32_t page_index = p->page_begin; page_index < p->page_end; page_index++) {
    const ev_page page = ev_page_of(p->a, page_index);
    __m512i page_sum = _mm512_setzero_si512();
    for (int32_t k = 0; k < EV_PAGE_POSITIONS; k += 16, scores += 16) {
      const __mmask16 lanes = visible_lanes(page_index * EV_PAGE_POSITIONS + k, first, last);
      const __m512i delta = _mm512_sub_epi32(b_max, _mm512_loadu_si512(scores));
      // RS(T << 9, ip) = ((T << 10 >> ip) + 1) >> 1.
      const __m512i t = _mm512_slli_epi32(exp2_table(_mm512_and_si512(delta, _mm512_set1_epi32(4095))), 10);
      const __m512i ip = _mm512_srli_epi32(delta, 12);
      const __m512i weight = _mm512_srli_epi32(_mm512_add_epi32(_mm512_srlv_epi32(t, ip), one), 1);
      page_sum = _mm512_mask_add_epi32(page_sum, lanes, page_sum, weight);
      const __m512i below = _mm512_sub_epi32(exponent_max, _mm512_loadu_si512(page.value_exponent + k));
      const __m512i shifted = _mm512_srlv_epi32(t, _mm512_add_epi32(ip, below));
      const __m512i scaled = _mm512_maskz_srli_epi32(lanes, _mm512_add_epi32(shifted, one), 1);
      const __m256i upper = _mm512_cvtepi32_epi16(_mm512_srli_epi32(scaled, 12));
      const __m256i lower = _mm512_cvtepi32_epi16(_mm512_and_si512(scaled, _mm512_set1_epi32(4095)));
      _mm512_storeu_si512(scores, _mm512_inserti64x4(_mm512_castsi256_si512(upper), lower, 1));
    }
    sum = _mm512_add_epi64(sum, _mm512_cvtepi32_epi64(_mm512_castsi512_si256(page_sum)));
    sum = _mm512_add_epi64(sum, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(page_sum, 1)));
  }
  return _mm512_reduce_add_epi64(sum);
}

// Adds to the sums of `queries` queries the values of up to two pages, in `vectors` vectors of 16 channels from
// `channel` on, the last of them with `lanes` lanes. `pass` counts the calls with other queries for the same pages.
// `queries` and `vectors` are constants.
AVX512 EV_INLINE void add_vectors(
    const ev_pass *p, int32_t page_begin, int32_t page_end, int32_t query, int32_t pass, int32_t channel,
    __mmask16 lanes, const int queries, const int vectors) {
  const int32_t passes = (p->queries + VALUE_QUERIES - 1) / VALUE_QUERIES, distance = passes > 1 ? EV_VALUE_PAGES : 1;
  const size_t hd = (size_t)p->a->hd, padded = (size_t)ev_padded_head(p->a->hd);
  __m512i upper[VALUE_QUERIES][VALUE_VECTORS], lower[VALUE_QUERIES][VALUE_VECTORS];
  EV_UNROLL for (int i = 0; i < queries; i++) {
    EV_UNROLL for (int v = 0; v < vectors; v++) upper[i][v] = lower[i][v] = _mm512_setzero_si512();
  }
  for (int32_t index = page_begin; index < page_end; index++) {
    const int16_t *values = ev_page_of(p->a, index).values + (size_t)channel * 2;
    const int32_t *limbs = p->scores + (size_t)query * p->span + (size_t)(index - p->page_begin) * EV_PAGE_POSITIONS;
    const int16_t *after = ev_page_of(p->a, ev_min(index + distance, p->page_end - 1)).values + (size_t)channel * 64;
    ahead next = ahead_of(p, after, EV_PAGE_POSITIONS / 2, pass, passes);
    for (size_t pair = 0; pair < EV_PAGE_POSITIONS / 2; pair++, values += 2 * hd) {
      if (queries > 1) fetch_step(&next);
      __m512i value[VALUE_VECTORS];
      EV_UNROLL for (int v = 0; v < vectors - 1; v++) value[v] = _mm512_loadu_si512(values + v * 32);
      value[vectors - 1] = _mm512_maskz_loadu_epi32(lanes, values + (vectors - 1) * 32);
      const size_t at = pair / 8 * 16 + pair % 8;
      EV_UNROLL for (size_t i = 0; i < (size_t)queries; i++) {
        const __m512i u = broadcast32(limbs + i * p->span + at), l = broadcast32(limbs + i * p->span + at + 8);
        EV_UNROLL for (int v = 0; v < vectors; v++) {
          upper[i][v] = _mm512_dpwssd_epi32(upper[i][v], value[v], u);
          lower[i][v] = _mm512_dpwssd_epi32(lower[i][v], value[v], l);
        }
      }
    }
  }
  EV_UNROLL for (int i = 0; i < queries; i++) {
    int64_t *sums = p->sums + (size_t)(query + i) * padded + (size_t)channel;
    EV_UNROLL for (int v = 0; v < vectors; v++) {
      EV_UNROLL for (int part = 0; part < 2; part++) {
        const __m256i u = part ? _mm512_extracti64x4_epi64(upper[i][v], 1) : _mm512_castsi512_si256(upper[i][v]);
        const __m256i l = part ? _mm512_extracti64x4_epi64(lower[i][v], 1) : _mm512_castsi512_si256(lower[i][v]);
        const __m512i both =
            _mm512_add_epi64(_mm512_slli_epi64(_mm512_cvtepi32_epi64(u), 12), _mm512_cvtepi32_epi64(l));
        int64_t *sum = sums + v * 16 + part * 8;
        _mm512_storeu_si512(sum, _mm512_add_epi64(_mm512_loadu_si512(sum), both));
      }
    }
  }
}

AVX512 EV_INLINE void add_channels(
    const ev_pass *p, int32_t begin, int32_t end, int32_t query, int32_t pass, const int queries) {
  for (int32_t channel = 0; channel < p->a->hd; channel += 16 * VALUE_VECTORS) {
    const int32_t left = p->a->hd - channel;
    const __mmask16 all = (__mmask16)0xffff;
    if (left >= 64) add_vectors(p, begin, end, query, pass, channel, all, queries, 4);
    else if (left > 48) add_vectors(p, begin, end, query, pass, channel, lanes_below(left - 48), queries, 4);
    else if (left > 32) add_vectors(p, begin, end, query, pass, channel, lanes_below(left - 32), queries, 3);
    else if (left > 16) add_vectors(p, begin, end, query, pass, channel, lanes_below(left - 16), queries, 2);
    else add_vectors(p, begin, end, query, pass, channel, lanes_below(left), queries, 1);
  }
}

AVX512 static void add_values(const ev_pass *p, int32_t page_begin, int32_t page_end) {
  int32_t query = 0, pass = 0;
  for (; p->queries - query == 3 || p->queries - query > 4; query += 3) {
    add_channels(p, page_begin, page_end, query, pass++, 3);
  }
  for (; p->queries - query >= 2; query += 2) add_channels(p, page_begin, page_end, query, pass++, 2);
  if (query < p->queries) add_channels(p, page_begin, page_end, query, pass, 1);
}

AVX512 static void normalise(const int64_t *sums, int32_t shift, int64_t factor, int32_t hd, int32_t *out) {
  const __m512i half = _mm512_set1_epi64(ev_half(shift)), factors = _mm512_set1_epi64(factor);
  const __m128i shifts = _mm_cvtsi32_si128(shift);
  for (int32_t c = 0; c < hd; c += 8) {
    const __m512i a = _mm512_sra_epi64(_mm512_add_epi64(_mm512_loadu_si512(sums + c), half), shifts);
    const __m512i scaled = _mm512_add_epi64(_mm512_mul_epi32(a, factors), _mm512_set1_epi64(1 << 16));
    const __m256i o = _mm512_cvtepi64_epi32(_mm512_srai_epi64(scaled, 17));
    _mm256_mask_storeu_epi32(out + c, (__mmask8)lanes_below(ev_min(8, hd - c)), o);
  }
}

static const ev_attention_steps steps = {score, cap_scores, largest_score, weigh, add_values, normalise};

EV_ATTENTION_KERNELS(AVX512)

const ev_kernel_set ev_kernels_avx512vnni = {
    .name = "avx512vnni",
    .prepare = prepare,
    .linear8 = linear8,
    .linear4 = linear4,
    .linear16 = linear16,
    EV_ATTENTION_FIELDS,
    EV_ELEMENTWISE_FIELDS,
};
#endif
