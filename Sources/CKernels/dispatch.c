// Which kernel sets this processor can run.
#include "spec.h"

enum { SETS_MAX = 4 };

#if defined(__x86_64__)
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }

static bool has_avx512vnni(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

// Fills `sets` with the sets that run here, fastest first.
static int32_t available(const ev_kernel_set *sets[SETS_MAX]) {
  int32_t count = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_avx512vnni()) sets[count++] = &ev_kernels_avx512vnni;
  if (has_avx2()) sets[count++] = &ev_kernels_avx2;
#elif defined(__aarch64__)
  sets[count++] = &ev_kernels_neon;
#endif
  sets[count++] = &ev_kernels_scalar;
  return count;
}

const ev_kernel_set *ev_kernels_by_name(const char *name) {
  const ev_kernel_set *sets[SETS_MAX];
  const int32_t count = available(sets);
  for (int32_t i = 0; i < count; i++) {
    if (strcmp(sets[i]->name, name) == 0) return sets[i];
  }
  return NULL;
}

const ev_kernel_set *ev_kernels_best(void) {
  const ev_kernel_set *sets[SETS_MAX];
  available(sets);
  return sets[0];
}

const char *ev_kernels_name(int32_t index) {
  const ev_kernel_set *sets[SETS_MAX];
  const int32_t count = available(sets);
  return index >= 0 && index < count ? sets[index]->name : NULL;
}
