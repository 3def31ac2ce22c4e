// Sections 4.8 and 4.16: functions that are read from tables.
#ifndef EV_ACTIVATIONS_H
#define EV_ACTIVATIONS_H

#include "vectors.h"

enum { EV_GATES_AT_ONCE = 256 };

// pairs[i] = table_pairs[index[i]]. Compiled for the baseline instruction set, on purpose: plain loads beat the
// gather instructions that a compiler would use for AVX2 and AVX-512.
static __attribute__((noinline, unused)) void ev_look_up(
    const uint32_t *restrict table_pairs, const uint32_t *restrict index, int32_t n, uint32_t *restrict pairs) {
  for (int32_t i = 0; i < n; i++) pairs[i] = table_pairs[index[i]];
}

// x of 4.8 step 1 and the index into the table. x = RS(clamp(g, -largest, largest) << left, right), clamped, is
// ev_sh_saturating with 17 bits. |g| < 2^30: nothing is left from a right shift of 31 on.
EV_INLINE void ev_gate_index(
    const int32_t *restrict g, int32_t shift, int32_t n, int32_t *restrict gate, uint32_t *restrict index) {
  const int32_t left = ev_min(ev_max(shift, 0), 17), right = ev_min(ev_max(-shift, 0), 31);
  const int32_t largest = shift < 0 ? INT32_MAX : (1 << 17) >> left, half = (int32_t)ev_half(right);
  for (int32_t c = 0; c < n; c++) {
    int32_t x = g[c] > largest ? largest : g[c] < -largest ? -largest : g[c];
    x = ((int32_t)((uint32_t)x << left) + half) >> right;
    x = x > 65535 ? 65535 : x < -65535 ? -65535 : x;
    gate[c] = x;
    index[c] = (uint32_t)(x < 0 ? -x : x) >> 4;
  }
}

// Σ of one gate from its index's pair.
EV_INLINE int32_t ev_sigma(int32_t x, uint32_t pair) {
  const int32_t magnitude = x < 0 ? -x : x;
  const int32_t low = (int32_t)(pair & 0xffff), high = (int32_t)(pair >> 16);
  const int32_t positive = low + (((high - low) * (magnitude & 15) + 8) >> 4);
  return x < 0 ? 32768 - positive : positive;
}

// v of 4.8 step 3. Returns the larger of m and the largest |v|.
EV_INLINE int64_t ev_multiply_gates(
    const int32_t *restrict g, const int32_t *restrict u, const int32_t *restrict gate,
    const uint32_t *restrict pairs, int32_t n, int64_t *restrict v, int64_t m) {
  for (int32_t c = 0; c < n; c++) {
    const int64_t h = (ev_multiply32(g[c], ev_sigma(gate[c], pairs[c])) + 16384) >> 15;
    const int64_t product = ev_multiply32(h, u[c]);
    const int64_t size = product < 0 ? -product : product;
    m = size > m ? size : m;
    v[c] = product;
  }
  return m;
}

EV_INLINE void ev_gated(
    const int32_t *g, int32_t g_exponent, const int32_t *u, int32_t u_exponent, int32_t n,
    const uint32_t *table_pairs, int16_t *q, int32_t *e, void *scratch) {
  int64_t *v = (int64_t *)scratch;  // [n]
  int64_t m = 0;
  for (int32_t c = 0; c < n; c += EV_GATES_AT_ONCE) {
    int32_t gate[EV_GATES_AT_ONCE];
    uint32_t index[EV_GATES_AT_ONCE], pairs[EV_GATES_AT_ONCE];
    const int32_t count = ev_min(n - c, EV_GATES_AT_ONCE);
    ev_gate_index(g + c, g_exponent + 12, count, gate, index);
    ev_look_up(table_pairs, index, count, pairs);
    m = ev_multiply_gates(g + c, u + c, gate, pairs, count, v + c, m);
  }
  *e = g_exponent + u_exponent + ev_quantise64(v, n, (uint64_t)m, q);
}

EV_INLINE void ev_activate(
    const int32_t *g, int32_t g_exponent, int32_t n, const uint32_t *table_pairs, int16_t *q, int32_t *e,
    void *scratch) {
  int32_t *v = (int32_t *)scratch;  // [n]
  for (int32_t c = 0; c < n; c += EV_GATES_AT_ONCE) {
    int32_t gate[EV_GATES_AT_ONCE];
    uint32_t index[EV_GATES_AT_ONCE], pairs[EV_GATES_AT_ONCE];
    const int32_t count = ev_min(n - c, EV_GATES_AT_ONCE);
    ev_gate_index(g + c, g_exponent + 12, count, gate, index);
    ev_look_up(table_pairs, index, count, pairs);
    for (int32_t i = 0; i < count; i++) {
      v[c + i] = (int32_t)((ev_multiply32(g[c + i], ev_sigma(gate[i], pairs[i])) + 16384) >> 15);
    }
  }
  *e = g_exponent + ev_quantise32(v, n, 32767, q);
}

// Two neighbours of a table: low[i] = table[index[i]], high[i] = table[index[i] + 1]. Compiled like ev_look_up.
static __attribute__((noinline, unused)) void ev_look_up_two(
    const int32_t *restrict table, const uint32_t *restrict index, int32_t n, int32_t *restrict low,
    int32_t *restrict high) {
  for (int32_t i = 0; i < n; i++) low[i] = table[index[i]], high[i] = table[index[i] + 1];
}

// CAP of 4.16 in place, for |x| <= 2^30 (2^30 itself comes only from positions that nobody reads).
EV_INLINE void ev_cap(int32_t *restrict x, size_t n, int32_t cap, const int32_t *restrict tanh_table) {
  // floor(2^44 / C) is 2^32 at most: one less fits 32 bits.
  const uint64_t factor_less_1 = ((uint64_t)1 << 44) / (uint64_t)cap - 1;
  for (size_t begin = 0; begin < n; begin += EV_GATES_AT_ONCE) {
    const int32_t count = n - begin < EV_GATES_AT_ONCE ? (int32_t)(n - begin) : EV_GATES_AT_ONCE;
    int32_t *restrict part = x + begin;
    int32_t low[EV_GATES_AT_ONCE], high[EV_GATES_AT_ONCE], rest[EV_GATES_AT_ONCE];
    uint32_t index[EV_GATES_AT_ONCE];
    for (int32_t c = 0; c < count; c++) {
      const uint32_t magnitude = (uint32_t)(part[c] < 0 ? -part[c] : part[c]);
      const uint64_t scaled = ((uint64_t)magnitude * (uint32_t)factor_less_1 + magnitude) >> 28;
      const uint32_t z = (uint32_t)(scaled < (1 << 19) - 1 ? scaled : (1 << 19) - 1);
      index[c] = z >> 7;
      rest[c] = (int32_t)(z & 127);
    }
    ev_look_up_two(tanh_table, index, count, low, high);
    for (int32_t c = 0; c < count; c++) {
      const int32_t tau = low[c] + (((high[c] - low[c]) * rest[c] + 64) >> 7);
      const int32_t capped = (int32_t)((ev_multiply32(cap, tau) + (1 << 23)) >> 24);
      part[c] = part[c] < 0 ? -capped : capped;
    }
  }
}

EV_INLINE void ev_softcap(int32_t *t, int32_t n, int32_t exponent, int32_t cap, const int32_t *tanh_table) {
  const ev_shift shift = ev_shift_by(exponent + 16, 30);
  const int64_t limit = ((int64_t)1 << 30) - 1;
  for (int32_t c = 0; c < n; c++) {
    const int64_t x = ev_shifted(t[c], shift);
    t[c] = (int32_t)(x > limit ? limit : x < -limit ? -limit : x);
  }
  ev_cap(t, (size_t)n, cap, tanh_table);
}

#endif
