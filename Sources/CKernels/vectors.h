// Largest magnitudes, quantisation and shifts of whole vectors, as loops that a compiler turns into vector code.
#ifndef EV_VECTORS_H
#define EV_VECTORS_H

#include "spec.h"

// 2^(k - 1), or 0 for k = 0: then (x + half) >> k is RS(x, k) wherever the sum fits.
EV_INLINE int64_t ev_half(int32_t k) { return k == 0 ? 0 : (int64_t)1 << (k - 1); }

// Both factors fit in 32 bits; saying so lets compilers use the 32 by 32 bit multiplier.
EV_INLINE int64_t ev_multiply32(int64_t a, int64_t b) { return (int64_t)(int32_t)a * (int32_t)b; }

EV_INLINE uint64_t ev_max_magnitude64(const int64_t *v, int32_t n) {
  int64_t m = 0;
  for (int32_t c = 0; c < n; c++) {
    const int64_t magnitude = v[c] < 0 ? -v[c] : v[c];
    m = magnitude > m ? magnitude : m;
  }
  return (uint64_t)m;
}

EV_INLINE uint64_t ev_max_magnitude32(const int32_t *v, int32_t n) {
  uint32_t m = 0;
  for (int32_t c = 0; c < n; c++) {
    const uint32_t magnitude = v[c] < 0 ? 0 - (uint32_t)v[c] : (uint32_t)v[c];
    m = magnitude > m ? magnitude : m;
  }
  return m;
}

EV_INLINE int32_t ev_quantise64(const int64_t *v, int32_t n, uint64_t m, int16_t *q) {
  const int32_t k = ev_quantising_shift(m, 32767);
  const int64_t half = ev_half(k);
  for (int32_t c = 0; c < n; c++) q[c] = (int16_t)((v[c] + half) >> k);
  return k;
}

EV_INLINE int32_t ev_quantise32(const int32_t *v, int32_t n, uint64_t limit, int16_t *q) {
  const int32_t k = ev_quantising_shift(ev_max_magnitude32(v, n), limit);
  if (k == 0) {
    for (int32_t c = 0; c < n; c++) q[c] = (int16_t)v[c];
  } else {
    for (int32_t c = 0; c < n; c++) q[c] = (int16_t)(((v[c] >> (k - 1)) + 1) >> 1);
  }
  return k;
}

// clamp(SH(x, n), -(2^bits), 2^bits) as a clamp, a left shift and a rounding right shift, of which one does nothing.
typedef struct {
  int64_t largest, half;
  int32_t left, right;
} ev_shift;

// For |x| < 2^bits when n < 0, and bits <= 61.
EV_INLINE ev_shift ev_shift_by(int32_t n, int32_t bits) {
  ev_shift shift;
  shift.left = ev_min(ev_max(n, 0), bits);
  shift.right = ev_min(ev_max(-n, 0), 62);
  shift.largest = n < 0 ? INT64_MAX : ((int64_t)1 << bits) >> shift.left;
  shift.half = ev_half(shift.right);
  return shift;
}

EV_INLINE int64_t ev_shifted(int64_t x, ev_shift by) {
  x = x > by.largest ? by.largest : x < -by.largest ? -by.largest : x;
  return ((int64_t)((uint64_t)x << by.left) + by.half) >> by.right;
}

#endif
