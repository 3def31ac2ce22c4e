// Speed of the kernels on one pinned thread, in the shapes of SmolLM2-135M. From the repository root:
//   clang -O3 -ISources/CKernels/include Benchmarks/kernels/bench.c Sources/CKernels/*.c -o /tmp/kernels-bench
//   /tmp/kernels-bench [SET]
// with the clang of the Swift toolchain, which compiles the kernels of the product, too. Medians. One multiplication of
// a 16-bit activation by a weight counts as one MAC.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

enum { REPEATS = 15 };
static const ev_kernel_set *set;
static uint64_t state = 1;

static uint32_t next_random(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

// Time that this thread ran, so that other programs disturb less.
static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

// Median time of one call of `body`, each sample long enough for the clock.
static double median(void (*body)(void *), void *argument) {
  double samples[REPEATS], once = 0;
  body(argument);
  for (int calls = 1;; calls *= 2) {
    const double start = seconds();
    for (int i = 0; i < calls; i++) body(argument);
    once = (seconds() - start) / calls;
    if (once * calls > 0.004) break;
  }
  const int calls = 1 + (int)(0.02 / once);
  for (int s = 0; s < REPEATS; s++) {
    const double start = seconds();
    for (int i = 0; i < calls; i++) body(argument);
    samples[s] = (seconds() - start) / calls;
  }
  qsort(samples, REPEATS, sizeof *samples, by_value);
  return samples[REPEATS / 2];
}

static void *noise(size_t bytes) {
  uint8_t *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
  for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)next_random();
  return p;
}

typedef enum { LINEAR8, LINEAR4, LINEAR4M, LINEAR16 } format;
static const char *const format_names[] = {"linear8", "linear4", "linear4m", "linear16"};

// Copies of the weight, so that a product by few rows finds none of it in a cache, as in a model.
typedef struct {
  format kind;
  int32_t in, out;
  uint8_t **copies;
  int count, next, rows;
  const int32_t *sums;
  const int64_t *offsets;
  const uint32_t *multipliers;
  const uint8_t *planes;
  size_t plane_stride;
  int32_t *t;
} product;

static void multiply(void *argument) {
  product *p = argument;
  const uint8_t *packed = p->copies[p->next];
  const int32_t in_padded = ev_padded_in(p->in), out_padded = ev_padded_out(p->out);
  p->next = (p->next + 1) % p->count;
  if (p->kind == LINEAR8) {
    const ev_linear8 w = {(const int8_t *)packed, p->sums, p->multipliers, p->in, in_padded, p->out, out_padded, 26};
    set->linear8(&w, p->planes, p->plane_stride, p->rows, 0, out_padded / 16, p->t, (size_t)p->out);
  } else if (p->kind == LINEAR16) {
    const ev_linear16 w = {
        (const int8_t *)packed, p->offsets, p->multipliers, p->in, in_padded, p->out, out_padded, 3, 30};
    set->linear16(&w, p->planes, p->plane_stride, p->rows, 0, out_padded / 16, p->t, (size_t)p->out);
  } else {
    const ev_linear4 w = {
        packed, p->offsets, p->multipliers, p->in, in_padded, p->out, out_padded, 20, 26, p->kind == LINEAR4M};
    set->linear4(&w, p->planes, p->plane_stride, p->rows, 0, out_padded / 16, p->t, (size_t)p->out);
  }
}

static void bench_linear(format kind, int32_t out, int32_t in, int rows) {
  const size_t elements = (size_t)ev_padded_in(in) * (size_t)ev_padded_out(out);
  const size_t bytes = kind == LINEAR8    ? elements
                       : kind == LINEAR16 ? 2 * elements
                                          : ev_linear4_bytes(out, in, kind == LINEAR4M);
  product p = {.kind = kind, .in = in, .out = out, .rows = rows};
  p.count = rows <= 16 ? 1 + (int)(((size_t)512 << 20) / bytes) : 1;
  p.copies = calloc((size_t)p.count, sizeof *p.copies);
  uint32_t *multipliers = calloc((size_t)ev_padded_out(out), 4);
  for (int32_t j = 0; j < out; j++) multipliers[j] = next_random() & 0xffffff;
  for (int i = 0; i < p.count; i++) {
    p.copies[i] = i == 0 ? noise(bytes) : memcpy(aligned_alloc(64, (bytes + 63) / 64 * 64), p.copies[0], bytes);
  }
  p.sums = calloc((size_t)ev_padded_out(out), 4);
  p.offsets = calloc((size_t)ev_padded_out(out), 8);
  p.multipliers = multipliers;
  p.plane_stride = ev_plane_bytes(ev_padded_in(in), kind != LINEAR8);
  p.planes = noise((size_t)rows * p.plane_stride);
  p.t = calloc((size_t)rows * (size_t)out, 4);
  const double time = median(multiply, &p), macs = (double)rows * out * in;
  printf("%-8s %5d x %4d  rows %3d  %7.1f GMAC/s", format_names[kind], out, in, rows, macs / time * 1e-9);
  if (rows <= 16) printf("  %5.1f GB/s of weights", (double)bytes / time * 1e-9);
  printf("\n");
  for (int i = 0; i < p.count; i++) free(p.copies[i]);
  free(p.copies), free(multipliers), free((void *)(uintptr_t)p.sums), free((void *)(uintptr_t)p.offsets);
  free((void *)(uintptr_t)p.planes), free(p.t);
}

// A single row takes turns with copies of its pages, so that none of them are in a cache, as in a model.
typedef struct {
  ev_attention a;
  void *scratch;
  const uint8_t **tables;  // [copies][pages]
  int pages, copies, next;
} attention_run;

static void attend(void *argument) {
  attention_run *run = argument;
  run->a.pages = run->tables + run->next * run->pages;
  run->next = (run->next + 1) % run->copies;
  set->attention(&run->a, run->scratch);
}

static void bench_attention(int32_t first, int32_t rows, int32_t group, int32_t hd, int32_t softcap) {
  const int32_t positions = first + rows, pages = (positions + 63) / 64;
  const size_t q_stride = (size_t)(group * hd);
  const size_t page_bytes = (ev_page_bytes(hd) + 63) / 64 * 64;
  const int copies = rows == 1 ? 1 + (int)(((size_t)256 << 20) / ((size_t)pages * page_bytes)) : 1;
  const uint8_t **table = calloc((size_t)(copies * pages), sizeof *table);
  int16_t key[256], value[256], *q = calloc((size_t)rows * q_stride, 2);
  int32_t *exponents = calloc((size_t)(rows * group), 4), *out = calloc((size_t)rows * q_stride, 4);
  int32_t *out_exponents = calloc((size_t)(rows * group), 4);
  for (int32_t i = 0; i < copies * pages; i++) table[i] = aligned_alloc(64, page_bytes);
  for (int32_t j = 0; j < positions; j++) {
    for (int32_t c = 0; c < hd; c++) {
      key[c] = (int16_t)(next_random() % 4096 - 2048);
      value[c] = (int16_t)(next_random() % 4096 - 2048);
    }
    ev_page_store((void *)(uintptr_t)table[j / 64], j % 64, hd, key, -8, value, (int32_t)(next_random() % 3));
  }
  for (int32_t i = pages; i < copies * pages; i++) memcpy((void *)(uintptr_t)table[i], table[i % pages], page_bytes);
  for (size_t i = 0; i < (size_t)rows * q_stride; i++) q[i] = (int16_t)(next_random() % 4096 - 2048);
  for (int32_t i = 0; i < rows * group; i++) exponents[i] = -12;
  attention_run run = {
      {q, exponents, table, 0, out, out_exponents, q_stride, (size_t)group, q_stride, (size_t)group, first, rows,
       group, hd, 0, 0, softcap, noise(4097 * 4)},
      malloc(ev_attention_scratch_bytes(rows, group, hd, positions)), table, pages, copies, 0};
  const double time = median(attend, &run);
  const double pairs = (double)group * rows * (first + (rows + 1) / 2.0);
  printf(
      "attention hd %3d  group %d  positions %4d...%4d%s  %6.2f ns per query and key\n", hd, group, first,
      positions - 1, softcap > 0 ? " capped" : "", time / pairs * 1e9);
  for (int32_t i = 0; i < copies * pages; i++) free((void *)(uintptr_t)table[i]);
  free(table), free(q), free(exponents), free(out), free(out_exponents), free(run.scratch);
}

typedef struct {
  int32_t n;
  int64_t *x, *work;
  int32_t *t, *u;
  uint32_t *pairs;
  int16_t *q;
  uint8_t *planes;
} vectors;

static void run_norm(void *argument) {
  vectors *v = argument;
  int32_t e;
  set->rms_norm(v->x, v->n, v->t, 10, 1000, v->q, &e, v->work);
}

static void run_prepare(void *argument) {
  vectors *v = argument;
  set->prepare(v->q, v->n, ev_padded_in(v->n), true, v->planes);
}

static void run_gated(void *argument) {
  vectors *v = argument;
  int32_t e;
  set->gated(v->t, -16, v->u, -16, v->n, v->pairs, v->q, &e, v->work);
}

static void run_add(void *argument) {
  vectors *v = argument;
  set->residual_add(v->x, v->t, v->n, -20);
}

static void run_rope(void *argument) {
  vectors *v = argument;
  set->rope(v->t, v->n / 64, 64, 32, v->u, v->u + 32);
}

static void run_quantise(void *argument) {
  vectors *v = argument;
  int32_t e[64];
  set->quantise_heads(v->u, v->n / 64, 64, 4095, 0, v->q, e);
}

static void run_layer_norm(void *argument) {
  vectors *v = argument;
  set->layer_norm(v->x, v->n, v->t, 20, 1000, v->u, 20, 20, v->x, v->work);
}

static void run_norm_heads(void *argument) {
  vectors *v = argument;
  set->norm_heads(v->t, v->n / 64, 64, -20, v->u, 1000, 20);
}

static void run_add_bias(void *argument) {
  vectors *v = argument;
  set->add_bias(v->t, v->n, -20, v->u, 20);
}

static void run_activate(void *argument) {
  vectors *v = argument;
  int32_t e;
  set->activate(v->t, -16, v->n, v->pairs, v->q, &e, v->work);
}

static void run_softcap(void *argument) {
  vectors *v = argument;
  set->softcap(v->t, v->n, -18, 30 << 16, (const int32_t *)v->pairs);
}

static void run_combine(void *argument) {
  vectors *v = argument;
  set->combine_experts(v->t, 0, 8, v->n, v->u, (int32_t *)v->work);
}

static void bench_vectors(int32_t n) {
  vectors v = {n, noise((size_t)n * 8), noise((size_t)n * 8), noise((size_t)n * 4), noise((size_t)n * 4),
               noise(4097 * 4), noise((size_t)n * 2), noise(ev_plane_bytes(ev_padded_in(n), true))};
  for (int32_t c = 0; c < n; c++) v.x[c] >>= 20, v.t[c] >>= 8, v.u[c] >>= 17;
  struct {
    const char *name;
    void (*body)(void *);
  } const kernels[] = {{"rms_norm", run_norm}, {"prepare", run_prepare}, {"gated", run_gated},
                       {"residual_add", run_add}, {"rope", run_rope}, {"quantise_heads", run_quantise},
                       {"layer_norm", run_layer_norm}, {"norm_heads", run_norm_heads}, {"add_bias", run_add_bias},
                       {"activate", run_activate}, {"softcap", run_softcap}, {"combine 8", run_combine}};
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    const double time = median(kernels[i].body, &v);
    printf("%-14s n %4d  %6.3f ns per element\n", kernels[i].name, n, time / n * 1e9);
  }
}

int main(int argc, char **argv) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  set = argc > 1 ? ev_kernels_by_name(argv[1]) : ev_kernels_best();
  if (set == NULL) {
    fprintf(stderr, "error: no kernel set %s on this processor\n", argv[1]);
    return 1;
  }
  printf("kernel set %s, one thread\n", set->name);
  const int32_t shapes[][2] = {{576, 576}, {1536, 576}, {576, 1536}, {49152, 576}, {2048, 2048}, {2048, 8192}};
  const int rows[] = {1, 2, 4, 16, 64, 512};
  for (format kind = LINEAR8; kind <= LINEAR16; kind++) {
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
      for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) bench_linear(kind, shapes[s][0], shapes[s][1], rows[r]);
    }
  }
  bench_attention(127, 1, 3, 64, 0);
  bench_attention(1023, 1, 3, 64, 0);
  bench_attention(1023, 1, 4, 64, 0);
  bench_attention(1023, 1, 7, 64, 0);
  bench_attention(0, 512, 3, 64, 0);
  bench_attention(1536, 512, 3, 64, 0);
  bench_attention(1023, 1, 4, 128, 0);
  bench_attention(1536, 512, 4, 128, 0);
  bench_attention(1536, 512, 1, 64, 0);
  bench_attention(1536, 512, 1, 64, 50 * 5909);
  bench_vectors(576);
  bench_vectors(1536);
  return 0;
}
