// What this machine can do at most: memory read and multiply-add, on 1 and on N threads. From the repository root:
//   clang -O3 -march=native -pthread Benchmarks/kernels/limits.c -o /tmp/limits && /tmp/limits [THREADS]
// Medians of 5. The multiply-add figures need AVX-512 with VNNI; elsewhere only memory is measured.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__AVX512VNNI__)
#include <immintrin.h>
#endif

enum { THREADS_MAX = 64, REPEATS = 5 };
static const size_t bytes_in_all = (size_t)2 << 30;
static const long rounds = 40000000;

static uint8_t *memory;
static volatile uint64_t sink[THREADS_MAX * 16];

typedef struct {
  int index, threads;
} place;

static void *read_memory(void *argument) {
  const place *p = argument;
  const size_t share = bytes_in_all / (size_t)p->threads / 512 * 512;
  const uint64_t *from = (const uint64_t *)(const void *)(memory + share * (size_t)p->index);
  uint64_t sums[64] = {0};
  for (size_t i = 0; i < share / 8; i += 64) {
    for (int k = 0; k < 64; k++) sums[k] += from[i + (size_t)k];
  }
  for (int k = 0; k < 64; k++) sink[p->index * 16] += sums[k];
  return NULL;
}

#if defined(__AVX512VNNI__)
#define MULTIPLY(NAME, OPERATION)                                                                    \
  static void *NAME(void *argument) {                                                                \
    const place *p = argument;                                                                       \
    __m512i sums[12], a = _mm512_set1_epi32(p->index + 3), b = _mm512_set1_epi32(p->threads + 5);    \
    for (int k = 0; k < 12; k++) sums[k] = _mm512_set1_epi32(k);                                     \
    for (long i = 0; i < rounds; i++) {                                                              \
      _Pragma("unroll") for (int k = 0; k < 12; k++) sums[k] = OPERATION(sums[k], a, b);             \
      __asm__ volatile("" : "+v"(a), "+v"(b));                                                       \
    }                                                                                                \
    for (int k = 1; k < 12; k++) sums[0] = _mm512_add_epi32(sums[0], sums[k]);                       \
    sink[p->index * 16] += (uint64_t)_mm512_reduce_add_epi32(sums[0]);                               \
    return NULL;                                                                                     \
  }
MULTIPLY(int8_products, _mm512_dpbusd_epi32)
MULTIPLY(int16_products, _mm512_dpwssd_epi32)
#endif

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Median seconds of `body` on that many threads.
static double measure(void *(*body)(void *), int threads) {
  double seconds[REPEATS];
  for (int r = 0; r < REPEATS; r++) {
    pthread_t handles[THREADS_MAX];
    place places[THREADS_MAX];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < threads; i++) {
      places[i] = (place){i, threads};
      if (pthread_create(&handles[i], NULL, body, &places[i]) != 0) abort();
    }
    for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds[r] = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
  }
  qsort(seconds, REPEATS, sizeof *seconds, by_value);
  return seconds[REPEATS / 2];
}

int main(int argc, char **argv) {
  const int most = argc > 1 ? atoi(argv[1]) : 2;
  if (most < 1 || most > THREADS_MAX) {
    fprintf(stderr, "usage: limits [THREADS, 1 to %d]\n", THREADS_MAX);
    return 2;
  }
  memory = mmap(NULL, bytes_in_all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fprintf(stderr, "error: 2 GiB of memory are not available\n");
    return 1;
  }
  madvise(memory, bytes_in_all, MADV_HUGEPAGE);
  memset(memory, 1, bytes_in_all);
  const int counts[] = {1, most};
  for (int i = 0; i < (most > 1 ? 2 : 1); i++) {
    printf("%d thread%s\n", counts[i], counts[i] == 1 ? "" : "s");
    printf("  memory read, 2 GiB      %7.1f GB/s\n", (double)bytes_in_all / measure(read_memory, counts[i]) * 1e-9);
#if defined(__AVX512VNNI__)
    const double products = (double)rounds * 12 * counts[i] * 1e-9;
    printf("  int8 multiply-add       %7.0f GMAC/s\n", products * 64 / measure(int8_products, counts[i]));
    printf("  int16 multiply-add      %7.0f GMAC/s\n", products * 32 / measure(int16_products, counts[i]));
#endif
  }
  return 0;
}
