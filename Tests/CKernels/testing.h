// What the parts of the kernel test share: randomness, memory with edges, results.
#ifndef EV_TESTING_H
#define EV_TESTING_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "CKernels.h"
#include "model.h"

// ------------------------------------------------------------------------------------------ randomness

uint64_t next_random(void);
int64_t between(int64_t lo, int64_t hi);
bool one_in(int n);

// A value of at most `limit` in magnitude. The style, drawn once per vector, decides what vectors look like.
typedef enum { UNIFORM, SMALL, EXTREME, ZERO, SPARSE, POSITIVE, ANY_BITS, STYLES } style;
style random_style(void);
int64_t value(style s, int64_t limit);

// C of 4.16, often one at a bound.
int32_t any_cap(void);

// ----------------------------------------------------------------------------------------------- tables

// Σ16, Φt16, Φe16 and H of section 5, rounded from floating point.
extern int32_t activation_tables[3][4097], tanh_table[4097];

// ---------------------------------------------------------------------------------------------- results

// Random shapes per kernel.
extern int64_t count;
extern const ev_kernel_set *sets[8];
extern int set_count;

void check(bool ok, const char *set, const char *format, int64_t a, int64_t b, int64_t c, int64_t d);

// Exactly `bytes` of memory, so that a sanitizer sees what runs over.
void *room(size_t bytes);

// Frees each of them.
void free_all(void **all, size_t count);
#define FREE(...) free_all((void *[]){__VA_ARGS__}, sizeof((void *[]){__VA_ARGS__}) / sizeof(void *))

// Whether to take an edge case when there are few random ones.
bool sampled(void);

// ------------------------------------------------------------------------------------------------ parts

void linear_tests(void);
void linear4_tests(void);
void linear16_tests(void);
void vector_tests(void);
void operator_tests(void);
void attention_tests(void);

#endif
