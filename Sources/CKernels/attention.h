// Attention around its vector kernels: pages, passes over them, and scratch.
//
// A pass serves the queries of several rows and heads at once, so that keys and values are read once for all of
// them: scores into scratch, then weights in their place, then sums of weighted values.
#ifndef EV_ATTENTION_H
#define EV_ATTENTION_H

#include "spec.h"

// First and last position that row `row` sees.
EV_INLINE int32_t ev_first_visible(const ev_attention *a, int32_t row) {
  return a->window > 0 && a->visible_end == 0 ? ev_max(0, a->first_position + row - a->window + 1) : 0;
}

EV_INLINE int32_t ev_last_visible(const ev_attention *a, int32_t row) {
  return a->visible_end > 0 ? a->visible_end - 1 : a->first_position + row;
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

EV_INLINE void ev_pass_pages(ev_pass *p, int32_t begin, int32_t end) {
  p->page_begin = begin, p->page_end = end;
  p->span = (size_t)(end - begin) * EV_PAGE_POSITIONS;
  p->sums = (int64_t *)(void *)(p->scores + (size_t)p->queries * p->span);
}

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
  p->scores = (int32_t *)(void *)((uint8_t *)scratch + (-(uintptr_t)scratch & 63));
  ev_pass_pages(
      p, ev_first_visible(a, row_begin) / EV_PAGE_POSITIONS, ev_last_visible(a, row_end - 1) / EV_PAGE_POSITIONS + 1);
}

// The vector kernels of a set.
typedef struct {
  // b of 4.6 step 2 into the scores of every query of the pass.
  void (*score)(const ev_pass *p);
  // CAP of them.
  void (*cap)(const ev_pass *p);
  // The largest score of one query at the positions of the pass that lie in first...last; INT32_MIN if none do.
  int32_t (*largest)(const ev_pass *p, const int32_t *scores, int32_t first, int32_t last);
  // Replaces the scores of one query by p', for each 16 positions 16 upper limbs p' >> 12 and then 16 lower limbs
  // p' & 4095, as int16; positions outside first...last get 0. Returns Σ p. `score_max` is the largest b, and
  // `value_exponent_max` is E.
  int64_t (*weigh)(
      const ev_pass *p, int32_t *scores, int32_t first, int32_t last, int32_t score_max, int32_t value_exponent_max);
  // Adds the weighted values of the pages page_begin..<page_end, at most EV_VALUE_PAGES, to the sums.
  void (*add_values)(const ev_pass *p, int32_t page_begin, int32_t page_end);
  // 4.6 step 9: o from a, h - 18 and R.
  void (*normalise)(const int64_t *sums, int32_t shift, int64_t factor, int32_t hd, int32_t *out);
} ev_attention_steps;

// A limb is at most 4096 and a value 4095, so the products of 128 positions, added in pairs into int32 lanes, fit:
// 128 * 4096 * 4095 < 2^31.
enum { EV_VALUE_PAGES = 2 };

// E of 4.6 step 6.
EV_INLINE int32_t ev_largest_value_exponent(const ev_attention *a, int32_t first, int32_t last) {
  int32_t largest = INT32_MIN;
  for (int32_t index = first / EV_PAGE_POSITIONS; index <= last / EV_PAGE_POSITIONS; index++) {
    const int32_t begin = index * EV_PAGE_POSITIONS;
    const int32_t *exponent = ev_page_of(a, index).value_exponent;
    if (begin >= first && begin + EV_PAGE_POSITIONS - 1 <= last) {
      for (int32_t i = 0; i < EV_PAGE_POSITIONS; i++) largest = ev_max(largest, exponent[i]);
    } else {
      for (int32_t j = ev_max(first, begin); j <= ev_min(last, begin + EV_PAGE_POSITIONS - 1); j++) {
        largest = ev_max(largest, exponent[j - begin]);
      }
    }
  }
  return largest;
}

EV_INLINE int32_t *ev_scores_of(const ev_pass *p, int32_t query) { return p->scores + (size_t)query * p->span; }

EV_INLINE int64_t *ev_sums_of(const ev_pass *p, int32_t query) {
  return p->sums + (size_t)query * (size_t)ev_padded_head(p->a->hd);
}

EV_INLINE void ev_sum_values(const ev_pass *p, const ev_attention_steps *steps) {
  memset(p->sums, 0, (size_t)p->queries * (size_t)ev_padded_head(p->a->hd) * sizeof(int64_t));
  for (int32_t page = p->page_begin; page < p->page_end; page += EV_VALUE_PAGES) {
    steps->add_values(p, page, ev_min(page + EV_VALUE_PAGES, p->page_end));
  }
}

EV_INLINE void ev_finish(
    const ev_attention *a, int32_t row, int32_t head, const int64_t *sums, int64_t total,
    const ev_attention_steps *steps) {
  int32_t shift;
  int64_t factor;
  ev_normaliser(total, &shift, &factor);
  int32_t *out = a->out + (size_t)row * a->out_stride + (size_t)head * (size_t)a->hd;
  steps->normalise(sums, shift, factor, a->hd, out);
}

EV_INLINE void ev_run_pass(const ev_pass *p, const ev_attention_steps *steps) {
  const ev_attention *a = p->a;
  int64_t totals[EV_ATTENTION_QUERIES];
  int32_t query = 0;
  steps->score(p);
  if (a->softcap > 0) steps->cap(p);
  for (int32_t row = p->row_begin; row < p->row_end; row++) {
    const int32_t first = ev_first_visible(a, row), last = ev_last_visible(a, row);
    const int32_t exponent_max = ev_largest_value_exponent(a, first, last);
    for (int32_t head = p->head_begin; head < p->head_end; head++, query++) {
      int32_t *scores = ev_scores_of(p, query);
      totals[query] = steps->weigh(p, scores, first, last, steps->largest(p, scores, first, last), exponent_max);
      a->out_exponent[(size_t)row * a->out_exponent_stride + (size_t)head] = exponent_max - 16;
    }
  }
  ev_sum_values(p, steps);
  query = 0;
  for (int32_t row = p->row_begin; row < p->row_end; row++) {
    for (int32_t head = p->head_begin; head < p->head_end; head++, query++) {
      ev_finish(a, row, head, ev_sums_of(p, query), totals[query], steps);
    }
  }
}

EV_INLINE void ev_attend(const ev_attention *a, void *scratch, const ev_attention_steps *steps) {
  const int32_t heads = ev_attention_heads_at_once(a->group);
  const int32_t rows = ev_attention_rows_at_once(heads, ev_last_visible(a, a->rows - 1) + 1);
  for (int32_t row = 0; row < a->rows; row += rows) {
    for (int32_t head = 0; head < a->group; head += heads) {
      ev_pass p;
      ev_pass_begin(&p, a, row, ev_min(row + rows, a->rows), head, ev_min(head + heads, a->group), scratch);
      ev_run_pass(&p, steps);
    }
  }
}

// -------------------------------------------------------------------------------------- a row in parts

// What one part tells the others; behind it lies the scratch of its pass.
typedef struct {
  int32_t score_max[EV_ATTENTION_QUERIES];
  int32_t exponent_max;
  int64_t totals[EV_ATTENTION_QUERIES];
} ev_part;

enum { EV_PART_HEADER_BYTES = (sizeof(ev_part) + 63) / 64 * 64 };

EV_INLINE ev_part *ev_part_of(const ev_attention *a, int32_t part, int32_t parts, void *shared) {
  const size_t bytes = ev_attention_part_bytes(a->group, a->hd, ev_last_visible(a, 0) + 1, parts);
  return (ev_part *)(void *)((uint8_t *)shared + (size_t)part * bytes);
}

// A pass of the row over the pages of one part, maybe none.
EV_INLINE ev_part *ev_part_begin(ev_pass *p, const ev_attention *a, int32_t part, int32_t parts, void *shared) {
  ev_part *own = ev_part_of(a, part, parts, shared);
  ev_pass_begin(p, a, 0, 1, 0, a->group, (uint8_t *)own + EV_PART_HEADER_BYTES);
  const int32_t first = p->page_begin, pages = p->page_end - first;
  ev_pass_pages(
      p, first + (int32_t)((int64_t)pages * part / parts), first + (int32_t)((int64_t)pages * (part + 1) / parts));
  return own;
}

EV_INLINE void ev_score_part(
    const ev_attention *a, int32_t part, int32_t parts, void *shared, const ev_attention_steps *steps) {
  ev_pass p;
  ev_part *own = ev_part_begin(&p, a, part, parts, shared);
  const int32_t first = ev_max(ev_first_visible(a, 0), p.page_begin * EV_PAGE_POSITIONS);
  const int32_t last = ev_min(ev_last_visible(a, 0), p.page_end * EV_PAGE_POSITIONS - 1);
  steps->score(&p);
  if (a->softcap > 0) steps->cap(&p);
  own->exponent_max = ev_largest_value_exponent(a, first, last);
  for (int32_t i = 0; i < p.queries; i++) own->score_max[i] = steps->largest(&p, ev_scores_of(&p, i), first, last);
}

EV_INLINE void ev_weigh_part(
    const ev_attention *a, int32_t part, int32_t parts, void *shared, const ev_attention_steps *steps) {
  ev_pass p;
  ev_part *own = ev_part_begin(&p, a, part, parts, shared);
  const int32_t first = ev_first_visible(a, 0), last = ev_last_visible(a, 0);
  int32_t exponent_max = INT32_MIN;
  for (int32_t i = 0; i < parts; i++) {
    exponent_max = ev_max(exponent_max, ev_part_of(a, i, parts, shared)->exponent_max);
  }
  for (int32_t query = 0; query < p.queries; query++) {
    int32_t score_max = INT32_MIN;
    for (int32_t i = 0; i < parts; i++) {
      score_max = ev_max(score_max, ev_part_of(a, i, parts, shared)->score_max[query]);
    }
    own->totals[query] = steps->weigh(&p, ev_scores_of(&p, query), first, last, score_max, exponent_max);
    if (part == 0) a->out_exponent[query] = exponent_max - 16;
  }
  ev_sum_values(&p, steps);
}

EV_INLINE void ev_join_parts(const ev_attention *a, int32_t parts, void *shared, const ev_attention_steps *steps) {
  ev_pass first;
  const ev_part *own = ev_part_begin(&first, a, 0, parts, shared);
  for (int32_t query = 0; query < first.queries; query++) {
    int64_t total = own->totals[query], *sums = ev_sums_of(&first, query);
    for (int32_t i = 1; i < parts; i++) {
      ev_pass other;
      total += ev_part_begin(&other, a, i, parts, shared)->totals[query];
      const int64_t *more = ev_sums_of(&other, query);
      for (int32_t c = 0; c < a->hd; c++) sums[c] += more[c];
    }
    ev_finish(a, 0, query, sums, total, steps);
  }
}

// The kernels of a set for instruction set TARGET from its `steps`.
#define EV_ATTENTION_KERNELS(TARGET) \
  TARGET static void attention(const ev_attention *a, void *scratch) { ev_attend(a, scratch, &steps); } \
  TARGET static void score_part(const ev_attention *a, int32_t part, int32_t parts, void *shared) { \
    ev_score_part(a, part, parts, shared, &steps); \
  } \
  TARGET static void weigh_part(const ev_attention *a, int32_t part, int32_t parts, void *shared) { \
    ev_weigh_part(a, part, parts, shared, &steps); \
  } \
  TARGET static void join_parts(const ev_attention *a, int32_t parts, void *shared) { \
    ev_join_parts(a, parts, shared, &steps); \
  }

#define EV_ATTENTION_FIELDS \
  .attention = attention, .score_part = score_part, .weigh_part = weigh_part, .join_parts = join_parts

#endif
