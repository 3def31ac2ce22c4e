// Compares every kernel set that runs here with the model of the specification, bit for bit.
//   kernels_test [--seed N] [--count N] [--set NAME]
// `--count` is the number of random shapes per kernel; the lists of edge cases are sampled below 5000.
#include <math.h>
#include <time.h>

#include "testing.h"

// ------------------------------------------------------------------------------------------ randomness

static uint64_t state;

uint64_t next_random(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t between(int64_t lo, int64_t hi) { return lo + (int64_t)(next_random() % (uint64_t)(hi - lo + 1)); }
bool one_in(int n) { return between(1, n) == 1; }

style random_style(void) { return (style)between(0, STYLES - 1); }

int64_t value(style s, int64_t limit) {
  switch (s) {
    case SMALL: return between(-(limit < 9 ? limit : 9), limit < 9 ? limit : 9);
    case EXTREME: return one_in(2) ? limit : -limit;
    case ZERO: return 0;
    case SPARSE: return one_in(20) ? between(-limit, limit) : 0;
    case POSITIVE: return limit - between(0, 1);
    case ANY_BITS: {
      int64_t magnitude = (int64_t)(next_random() % (uint64_t)(limit + 1)) >> between(0, m_bitlen(limit));
      return one_in(2) ? magnitude : -magnitude;
    }
    default: return between(-limit, limit);
  }
}

int32_t any_cap(void) {
  const int32_t bounds[] = {1 << 12, (1 << 12) + 1, (1 << 29) - 1, 1 << 28, 295453, 1966080};
  return one_in(3) ? bounds[between(0, 5)] : (int32_t)between(1 << 12, one_in(2) ? 1 << 22 : (1 << 29) - 1);
}

int32_t activation_tables[3][4097], tanh_table[4097];

static void make_tables(void) {
  for (int i = 0; i <= 4096; i++) {
    const double x = i / 256.0;
    activation_tables[0][i] = (int32_t)lround(32768 / (1 + exp(-x)));
    activation_tables[1][i] = (int32_t)lround(16384 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))));
    activation_tables[2][i] = (int32_t)lround(16384 * (1 + erf(x / sqrt(2))));
    tanh_table[i] = (int32_t)lround(16777216 * tanh(i / 512.0));
  }
}

// ---------------------------------------------------------------------------------------------- results

static uint64_t seed = 0;
int64_t count = 10000;
const ev_kernel_set *sets[8];
int set_count = 0;
static long passed = 0, failed = 0;

void check(bool ok, const char *set, const char *format, int64_t a, int64_t b, int64_t c, int64_t d) {
  if (ok) {
    passed++;
    return;
  }
  if (failed++ < 20) {
    printf("FAIL %s: ", set);
    printf(format, a, b, c, d);
    printf(" (seed %" PRIu64 ")\n", seed);
  }
}

void *room(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes) != 0) abort();
  memset(p, 0xa5, bytes);
  return p;
}

void free_all(void **all, size_t count) {
  for (size_t i = 0; i < count; i++) free(all[i]);
}

bool sampled(void) { return count >= 5000 || between(0, 4999) < count; }

// ----------------------------------------------------------------------------------------------- running

int main(int argc, char **argv) {
  seed = (uint64_t)time(NULL);
  const char *only = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--count") == 0) count = strtoll(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--set") == 0) only = argv[i + 1];
    else argc = 0;
  }
  if (argc % 2 == 0) {
    fprintf(stderr, "usage: kernels_test [--seed N] [--count N] [--set NAME]\n");
    return 2;
  }
  printf("seed %" PRIu64 ", count %" PRId64 ", sets:", seed, count);
  for (int i = 0; ev_kernels_name(i) != NULL; i++) {
    if (only != NULL && strcmp(only, ev_kernels_name(i)) != 0) continue;
    sets[set_count++] = ev_kernels_by_name(ev_kernels_name(i));
    printf(" %s", ev_kernels_name(i));
  }
  printf("\n");
  check(set_count > 0, only == NULL ? "any" : only, "no such kernel set here", 0, 0, 0, 0);
  check(ev_kernels_by_name("abacus") == NULL, "dispatch", "an unknown name has a set", 0, 0, 0, 0);
  check(ev_kernels_best() == ev_kernels_by_name(ev_kernels_name(0)), "dispatch", "best is not first", 0, 0, 0, 0);
  state = seed;
  make_tables();
  void (*const parts[])(void) = {
      linear_tests, linear4_tests, linear16_tests, vector_tests, operator_tests, attention_tests};
  const char *const names[] = {"linear", "linear4", "linear16", "vector", "operator", "attention"};
  for (int i = 0; i < 6; i++) {
    const clock_t start = clock();
    parts[i]();
    printf("%s: %.1f s\n", names[i], (double)(clock() - start) / CLOCKS_PER_SEC);
  }
  printf("%ld passed, %ld failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
