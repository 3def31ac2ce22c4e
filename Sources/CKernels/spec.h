// The scalar arithmetic of docs/spec/arithmetic.md that every kernel set uses once per row or per head.
#ifndef EV_SPEC_H
#define EV_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#if defined(__clang__)
#define EV_UNROLL _Pragma("unroll")
#else
#define EV_UNROLL _Pragma("GCC unroll 16")
#endif

// Inlined into callers of any instruction set, and compiled for theirs.
#define EV_INLINE static inline __attribute__((always_inline))

EV_INLINE int32_t ev_min(int32_t a, int32_t b) { return a < b ? a : b; }
EV_INLINE int32_t ev_max(int32_t a, int32_t b) { return a > b ? a : b; }
EV_INLINE int64_t ev_clamp(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }
EV_INLINE uint64_t ev_magnitude(int64_t x) { return x < 0 ? 0 - (uint64_t)x : (uint64_t)x; }
EV_INLINE int32_t ev_bitlen(uint64_t x) { return x == 0 ? 0 : 64 - __builtin_clzll(x); }

// RS(x, s) for any x and any s >= 0. The bit below the cut decides the rounding, so nothing overflows.
EV_INLINE int64_t ev_rs(int64_t x, int32_t s) {
  if (s <= 0) return x;
  if (s > 63) return 0;
  return (x >> s) + ((x >> (s - 1)) & 1);
}

// clamp(SH(x, n), -(2^bits), 2^bits) for |x| < 2^62 and bits <= 61, any n. A caller that clamps to less
// than 2^bits may shift by this instead of by SH.
EV_INLINE int64_t ev_sh_saturating(int64_t x, int32_t n, int32_t bits) {
  const int64_t limit = (int64_t)1 << bits;
  if (n <= 0) return ev_clamp(ev_rs(x, -n), -limit, limit);
  const int32_t left = ev_min(n, bits);
  const int64_t largest = limit >> left;
  return ev_clamp(x, -largest, largest) * ((int64_t)1 << left);
}

// The k of Q(v, limit), for the largest magnitude m of v.
EV_INLINE int32_t ev_quantising_shift(uint64_t m, uint64_t limit) {
  int32_t k = ev_max(0, ev_bitlen(m) - ev_bitlen(limit));
  while ((k == 0 ? m : (m >> k) + ((m >> (k - 1)) & 1)) > limit) k++;
  return k;
}

// The r of 4.2 step 3, for 0 < S < 2^63, and its a.
EV_INLINE int64_t ev_reciprocal_root(uint64_t sum, int32_t *a) {
  *a = (ev_bitlen(sum) + 1) / 2;
  // r^2 * S <= 2^(2a + 30) says r^2 <= floor(2^(2a + 30) / S), which is at most 2^32.
  const uint64_t square_max = (uint64_t)(((unsigned __int128)1 << (2 * *a + 30)) / sum);
  uint64_t r = 0;
  for (int32_t bit = 16; bit >= 0; bit--) {
    const uint64_t next = r | (uint64_t)1 << bit;
    if (next * next <= square_max) r = next;
  }
  return (int64_t)r;
}

// T of section 5, 0 <= f < 4096.
EV_INLINE int32_t ev_exp2_table(int32_t f) {
  const int32_t x = 8 * f;
  const int32_t h1 = 1748 - ((224 * x + 16384) >> 15);
  const int32_t h2 = 7853 - ((h1 * x + 16384) >> 15);
  const int32_t h3 = 22713 - ((h2 * x + 16384) >> 15);
  return 32768 - ((h3 * x + 16384) >> 15);
}

// o_c of 4.6 steps 8 and 9, in two parts: the shift h - 18 and the factor R.
EV_INLINE void ev_normaliser(int64_t sum, int32_t *shift, int64_t *factor) {
  const int32_t h = ev_bitlen((uint64_t)sum);
  *shift = h - 18;
  *factor = (int64_t)(((uint64_t)1 << (h + 15)) / (uint64_t)sum);
}

// First position that row `row` sees; the last is its own.
EV_INLINE int32_t ev_first_visible(const ev_attention *a, int32_t row) {
  return a->window > 0 ? ev_max(0, a->first_position + row - a->window + 1) : 0;
}

// --------------------------------------------------------------------------------------- parts of a page

typedef struct {
  const int16_t *keys;            // [64 / 16][hd / 2][16][2]
  const int16_t *values;          // [64 / 2][hd][2]
  const int32_t *key_exponent;    // [64]
  const int32_t *value_exponent;  // [64]
} ev_page;

EV_INLINE ev_page ev_page_parts(const uint8_t *base, int32_t hd) {
  ev_page page;
  page.keys = (const int16_t *)(const void *)base;
  page.values = page.keys + (size_t)EV_PAGE_POSITIONS * (size_t)hd;
  page.key_exponent = (const int32_t *)(const void *)(page.values + (size_t)EV_PAGE_POSITIONS * (size_t)hd);
  page.value_exponent = page.key_exponent + EV_PAGE_POSITIONS;
  return page;
}

EV_INLINE ev_page ev_page_of(const ev_attention *a, int32_t index) {
  return ev_page_parts(a->pages[index] + a->page_offset, a->hd);
}

// ------------------------------------------------------------------------------------- attention scratch

enum {
  // Queries (rows times heads) that one pass over the keys serves, unless a single row has more.
  EV_ATTENTION_QUERIES = 24,
  // Bytes of scores that should stay in a second-level cache.
  EV_ATTENTION_SCORE_BYTES = 384 * 1024,
};

EV_INLINE int32_t ev_padded_positions(int32_t positions) {
  return (positions + EV_PAGE_POSITIONS - 1) / EV_PAGE_POSITIONS * EV_PAGE_POSITIONS;
}

EV_INLINE int32_t ev_padded_head(int32_t hd) { return (hd + 15) / 16 * 16; }

// Heads and rows that one pass serves: at least one of each, and no more than the scratch of
// ev_attention_scratch_bytes holds.
EV_INLINE int32_t ev_attention_heads_at_once(int32_t group) { return ev_min(group, EV_ATTENTION_QUERIES); }

EV_INLINE int32_t ev_attention_rows_at_once(int32_t heads, int32_t positions) {
  const size_t row_bytes = (size_t)heads * (size_t)ev_padded_positions(positions) * sizeof(int32_t);
  const size_t by_bytes = EV_ATTENTION_SCORE_BYTES / row_bytes;
  const size_t by_count = (size_t)(EV_ATTENTION_QUERIES / heads);
  const size_t rows = by_bytes < by_count ? by_bytes : by_count;
  return rows < 1 ? 1 : (int32_t)rows;
}

// A pass over the keys and values: the queries that read the same pages together, and their scratch.
typedef struct {
  const ev_attention *a;
  const int16_t *q[EV_ATTENTION_QUERIES];           // each [hd]
  int32_t q_exponent[EV_ATTENTION_QUERIES];
  int32_t row_begin, row_end, head_begin, head_end;  // query (row - row_begin) * heads + head - head_begin
  int32_t queries;
  int32_t page_begin, page_end;  // pages that some query sees
  size_t span;                   // positions of those pages
  int32_t *scores;               // [queries][span]
  int64_t *sums;                 // [queries][padded hd]
} ev_pass;

EV_INLINE void ev_pass_begin(
    ev_pass *p, const ev_attention *a, int32_t row_begin, int32_t row_end, int32_t head_begin, int32_t head_end,
    void *scratch) {
  p->a = a;
  p->row_begin = row_begin, p->row_end = row_end;
  p->head_begin = head_begin, p->head_end = head_end;
  p->queries = 0;
  for (int32_t row = row_begin; row < row_end; row++) {
    for (int32_t head = head_begin; head < head_end; head++) {
      p->q[p->queries] = a->q + (size_t)row * a->q_stride + (size_t)head * (size_t)a->hd;
      p->q_exponent[p->queries++] = a->q_exponent[(size_t)row * a->q_exponent_stride + (size_t)head];
    }
  }
  p->page_begin = ev_first_visible(a, row_begin) / EV_PAGE_POSITIONS;
  p->page_end = (a->first_position + row_end - 1) / EV_PAGE_POSITIONS + 1;
  p->span = (size_t)(p->page_end - p->page_begin) * EV_PAGE_POSITIONS;
  p->scores = (int32_t *)(void *)((uint8_t *)scratch + (-(uintptr_t)scratch & 63));
  p->sums = (int64_t *)(void *)(p->scores + (size_t)p->queries * p->span);
}

// The kernel sets.
extern const ev_kernel_set ev_kernels_scalar;
extern const ev_kernel_set ev_kernels_avx2;
extern const ev_kernel_set ev_kernels_avx512vnni;
extern const ev_kernel_set ev_kernels_neon;

#endif
