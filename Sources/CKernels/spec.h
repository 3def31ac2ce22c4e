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

// DIV(a, b) for b > 0 and |a| < 2^61, b < 2^61.
EV_INLINE int64_t ev_divided(int64_t a, int64_t b) {
  const int64_t numerator = 2 * a + b, quotient = numerator / (2 * b);
  return quotient - (numerator % (2 * b) < 0);
}

// min(floor(epsilon * 2^(-2 n)), 2^62 - 1) of 4.11 step 2, for 1 <= epsilon < 2^53.
EV_INLINE uint64_t ev_head_epsilon(int64_t epsilon, int32_t n) {
  const int64_t most = ((int64_t)1 << 62) - 1;
  if (n >= 0) return n > 31 ? 0 : (uint64_t)(epsilon >> (2 * n));
  const int32_t left = n < -31 ? 62 : -2 * n;
  return (uint64_t)(epsilon > most >> left ? most : epsilon << left);
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

// t of 4.3 from y for weights with two shifts.
EV_INLINE int32_t ev_scaled_twice(int64_t y, uint32_t multiplier, int32_t shift1, int32_t shift2) {
  return (int32_t)ev_rs(ev_rs(y, shift1) * (int64_t)multiplier, shift2);
}

// What `prepare` puts behind the 2 * n_padded bytes of an activation for linear4 and linear16, one per group of 32
// inputs.
// A set chooses `initial`, with which it begins to add up u_ji q_i, so that the sum is that of (u_ji - 8) q_i.
typedef struct {
  int64_t *initial;  // [n_padded / 32], below 2^32
  int32_t *sum;      // [n_padded / 32] Σ q_i
} ev_group_sums;

EV_INLINE ev_group_sums ev_group_sums_of(const void *planes, int32_t n_padded) {
  ev_group_sums sums;
  sums.initial = (int64_t *)(void *)((uint8_t *)(uintptr_t)planes + 2 * (size_t)n_padded);
  sums.sum = (int32_t *)(void *)(sums.initial + n_padded / 32);
  return sums;
}

// `bias` is added to every q_i in the planes, and 8 times 32 times as much is taken away in the beginning.
EV_INLINE void ev_add_groups(const int16_t *q, int32_t n, int32_t n_padded, int32_t bias, void *planes) {
  const ev_group_sums sums = ev_group_sums_of(planes, n_padded);
  for (int32_t g = 0; g < n_padded / 32; g++) {
    const int32_t begin = g * 32, end = ev_min(begin + 32, n);
    int32_t sum = 0;
    if (end == begin + 32) {
      for (int32_t i = 0; i < 32; i++) sum += q[begin + i];
    } else {
      for (int32_t i = begin; i < end; i++) sum += q[i];
    }
    sums.initial[g] = (int64_t)(uint32_t)(-8 * (sum + 32 * bias));
    sums.sum[g] = sum;
  }
}

// What the definition of a set says of the kernels that do the same to every element.
#define EV_ELEMENTWISE_FIELDS \
  .rms_norm = rms_norm, .layer_norm = layer_norm, .norm_heads = norm_heads, .quantise = quantise, \
  .add_bias = add_bias, .rope = rope, .quantise_heads = quantise_heads, .merge_heads = merge_heads, \
  .gated = gated, .activate = activate, .residual_add = residual_add, .add_residuals = add_residuals, \
  .softcap = softcap, .combine_experts = combine_experts

// The kernel sets.
extern const ev_kernel_set ev_kernels_scalar;
extern const ev_kernel_set ev_kernels_avx2;
extern const ev_kernel_set ev_kernels_avx512vnni;
extern const ev_kernel_set ev_kernels_neon;

#endif
