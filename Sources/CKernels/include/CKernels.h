// The integer kernels of profile `evident.int.v1` (docs/spec/arithmetic.md), one set per instruction set.
//
// Every set computes the same function, bit for bit. Nothing here allocates, keeps state or uses floating
// point. A pointer's comment gives its shape; the last index moves fastest. Strides are in elements unless
// they say bytes. Nothing needs alignment beyond that of its element type; 64 bytes is fastest.
//
// Bounds are those of section 9 of the specification and are the caller's to check. Exponents, and sums of
// them, may be anything within ±2^24.
#ifndef EV_KERNELS_H
#define EV_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  // Outputs in one block of a packed weight: the unit in which threads share a product.
  EV_BLOCK_OUTPUTS = 16,
  // The input length of a packed weight is a multiple of this.
  EV_INPUT_MULTIPLE = 64,
  // Positions in one page of a key-value cache.
  EV_PAGE_POSITIONS = 64,
  // Queries (rows times heads) that one pass over the keys serves, unless a single row has more.
  EV_ATTENTION_QUERIES = 24,
};

static inline int32_t ev_padded_in(int32_t in) {
  return (in + EV_INPUT_MULTIPLE - 1) / EV_INPUT_MULTIPLE * EV_INPUT_MULTIPLE;
}

static inline int32_t ev_padded_out(int32_t out) {
  return (out + EV_BLOCK_OUTPUTS - 1) / EV_BLOCK_OUTPUTS * EV_BLOCK_OUTPUTS;
}

// ---------------------------------------------------------------------------------------------- weights

// A linear8 weight, packed for all kernel sets alike. `packed` holds blocks of 16 outputs; a block holds
// groups of 4 inputs; a group is 64 bytes. Outputs and inputs beyond `out` and `in` are zero.
typedef struct {
  const int8_t *packed;        // [out_padded / 16][in_padded / 4][16][4]
  const int32_t *row_sum;      // [out_padded] Σ_i w_ji
  const uint32_t *multiplier;  // [out_padded] M_j < 2^24, zero beyond `out`
  int32_t in;                  // 1...65535
  int32_t in_padded;           // ev_padded_in(in)
  int32_t out;
  int32_t out_padded;  // ev_padded_out(out)
  int32_t shift;       // s of section 4.3, ev_linear8_shift(in, largest multiplier)
} ev_linear8;

// s of section 4.3: the smallest s >= 0 with 32767 * 128 * in * multiplier_max <= (2^30 - 1) * 2^s.
int32_t ev_linear8_shift(int32_t in, uint32_t multiplier_max);

// Packs the output blocks block_begin..<block_end; several threads may pack disjoint blocks of one weight.
// `packed` and `row_sum` are the whole arrays of the weight.
void ev_pack_linear8(
    const int8_t *w,  // [out][in]
    int32_t out, int32_t in, int32_t block_begin, int32_t block_end,
    int8_t *packed,     // [out_padded / 16][in_padded / 4][16][4]
    int32_t *row_sum);  // [out_padded]

// A linear4 or linear4m weight, packed for all kernel sets alike. `packed` holds blocks of 16 outputs; a block holds
// records of 64 inputs; a record is 512 bytes of nibbles, 32 group multipliers as they are stored and, of linear4m,
// 32 group minimums as they are stored, and so always a multiple of 64 bytes:
//   uint8 u [2 groups][4][16 outputs][4]   a byte of the m-th 64 holds in its low half the input 32 g + 8 m + c,
//                                          in its high half the input 32 g + 8 m + 4 + c
//   uint16 G [2 groups][16 outputs]
//   uint16 B [2 groups][16 outputs]
// Outputs and inputs beyond `out` and `in` have u = 8, G = 0 and B = 0.
typedef struct {
  const uint8_t *packed;       // [out_padded / 16][in_padded / 64][ev_linear4_record_bytes(minimums)]
  const int64_t *offset;       // [out_padded / 16][2][8] 2^15 Σ_g G_jg Σ (u_ji - 8), even outputs, then odd ones
  const uint32_t *multiplier;  // [out_padded] M_j < 2^24, zero beyond `out`
  int32_t in;                  // a multiple of 32, 32...65504
  int32_t in_padded;           // ev_padded_in(in)
  int32_t out;
  int32_t out_padded;  // ev_padded_out(out)
  int32_t shift1;      // s1 and s2 of section 4.3
  int32_t shift2;
  bool minimums;  // linear4m
} ev_linear4;

static inline size_t ev_linear4_record_bytes(bool minimums) { return minimums ? 640 : 576; }

// Bytes of `packed` of a whole weight.
static inline size_t ev_linear4_bytes(int32_t out, int32_t in, bool minimums) {
  return (size_t)(ev_padded_out(out) / 16) * (size_t)(ev_padded_in(in) / 64) * ev_linear4_record_bytes(minimums);
}

// V of section 3: a group multiplier from its 16 bits. A group minimum is 16 times that.
static inline int32_t ev_group_multiplier(uint16_t g) {
  const int32_t magnitude = (int32_t)((uint32_t)(g & 2047) << (g >> 11 & 15));
  return g >> 15 ? -magnitude : magnitude;
}

// s1 and s2 of section 4.3. `weight_max` is Wmax, at most 2^30.
void ev_linear4_shifts(int32_t in, int64_t weight_max, uint32_t multiplier_max, int32_t *shift1, int32_t *shift2);

// Packs the output blocks block_begin..<block_end; several threads may pack disjoint blocks of one weight.
// `packed` and `offset` are the whole arrays of the weight. Returns Wmax of these blocks.
int64_t ev_pack_linear4(
    const uint8_t *u,                   // [out][in / 2], the even input in the low half of each byte
    const uint16_t *group_multipliers,  // [out][in / 32]
    const uint16_t *group_minimums,     // [out][in / 32], NULL for linear4
    int32_t out, int32_t in, int32_t block_begin, int32_t block_end,
    uint8_t *packed,   // [ev_linear4_bytes]
    int64_t *offset);  // [out_padded]

// A linear16 weight, packed for all kernel sets alike, as two bytes: w = 256 A + B + 128. Beyond `out` and `in` both
// are zero.
typedef struct {
  const int8_t *packed;        // [out_padded / 16][in_padded / 4][A, B][16][4]
  const int64_t *offset;       // [out_padded / 16][2][8] 2^15 Σ_i (w_ji - 128), even outputs, then odd ones
  const uint32_t *multiplier;  // [out_padded] M_j < 2^24, zero beyond `out`
  int32_t in;                  // 1...65535
  int32_t in_padded;           // ev_padded_in(in)
  int32_t out;
  int32_t out_padded;  // ev_padded_out(out)
  int32_t shift1;      // s1 and s2 of section 4.3: ev_linear4_shifts with a weight_max of 2^15
  int32_t shift2;
} ev_linear16;

// Packs the output blocks block_begin..<block_end, as for linear8.
void ev_pack_linear16(
    const int16_t *w,  // [out][in]
    int32_t out, int32_t in, int32_t block_begin, int32_t block_end,
    int8_t *packed,    // [out_padded / 16][in_padded / 4][2][16][4]
    int64_t *offset);  // [out_padded]

// Section 4.1 from a row of a table16, a token's or a position's. `multiplier` is M, or M times the scale of
// embeddings; `exponent` is F - f, or F - f - 14 with a scale.
void ev_embed_table16(
    const int16_t *w,  // [d]
    int32_t d, uint64_t multiplier, int32_t exponent,
    int64_t *x);  // [d]

// Section 4.1 from a tied head; `scale` is 1 without one.
void ev_embed_linear8(
    const ev_linear8 *head, int32_t token, uint32_t scale, int32_t exponent,
    int64_t *x);  // [head->in]
void ev_embed_linear4(
    const ev_linear4 *head, int32_t token, uint32_t scale, int32_t exponent,
    int64_t *x);  // [head->in]
void ev_embed_linear16(
    const ev_linear16 *head, int32_t token, uint32_t scale, int32_t exponent,
    int64_t *x);  // [head->in]

// ----------------------------------------------------------------------------------------------- tables

// Σ16, Φt16 or Φe16 of section 5 in the form that kernels read: pairs[i] = table[i] | table[i + 1] << 16.
void ev_pack_activation(
    const int32_t *table,  // [4097]
    uint32_t *pairs);      // [4096]

// ----------------------------------------------------------------------------------------------- routes

// Section 4.14.
void ev_route(
    const int32_t *t,  // [experts]
    int32_t experts, int32_t exponent, int32_t slots, bool shares_of_all,
    int32_t *ids,      // [slots]
    int32_t *shares);  // [slots]

// ------------------------------------------------------------------------------------- key-value cache

// One page holds EV_PAGE_POSITIONS positions of one key-value head of one layer:
//   int16 keys   [64 / 16][hd / 2][16 positions][2 channels]
//   int16 values [64 / 2][hd][2 positions]
//   int32 key exponents [64], int32 value exponents [64]
// A page starts 64-byte aligned. It should be zeroed once when it is allocated.
size_t ev_page_bytes(int32_t hd);

// Writes one position's key and value (both at most 4095 in magnitude) into slot 0..<64 of a page.
void ev_page_store(
    void *page, int32_t slot, int32_t hd,
    const int16_t *key,  // [hd]
    int32_t key_exponent,
    const int16_t *value,  // [hd]
    int32_t value_exponent);

// Attention of consecutive query positions of one sequence over one key-value head. Row r is the query at
// position first_position + r; it sees the positions up to its own, the last `window` of them if window > 0, or,
// in an encoder, all positions below visible_end.
typedef struct {
  const int16_t *q;            // [rows][q_stride], of which [group][hd]; within the query limit of 4.5
  const int32_t *q_exponent;   // [rows][q_exponent_stride], of which [group]
  const uint8_t *const *pages;  // [position / 64] pages of the sequence
  size_t page_offset;          // bytes from each pages[i] to this layer's and head's ev_page_bytes(hd) bytes
  int32_t *out;                // [rows][out_stride], of which [group][hd]
  int32_t *out_exponent;       // [rows][out_exponent_stride], of which [group]
  size_t q_stride;
  size_t q_exponent_stride;
  size_t out_stride;
  size_t out_exponent_stride;
  int32_t first_position;
  int32_t rows;    // >= 1
  int32_t group;   // >= 1; query heads that read this key-value head
  int32_t hd;      // even, 2...256
  int32_t window;  // 0: everything up to the query
  int32_t visible_end;        // 0: rows see up to their own position
  int32_t softcap;            // C of 4.6 step 2, 0 for none
  const int32_t *tanh_table;  // [4097] H of section 5, for softcap
} ev_attention;

// Enough scratch for `rows` rows that see positions below `positions`. Never shrinks when an
// argument grows.
size_t ev_attention_scratch_bytes(int32_t rows, int32_t group, int32_t hd, int32_t positions);

// Bytes of each of the `parts` parts of a row that sees positions below `positions`; a multiple of 64 that never
// shrinks when group or positions grow.
size_t ev_attention_part_bytes(int32_t group, int32_t hd, int32_t positions, int32_t parts);

// Scratch for rms_norm and layer_norm of n = d elements, gated and activate of n, merge_heads of n = heads * hd.
static inline size_t ev_vector_scratch_bytes(int32_t n) { return (size_t)(n + 15) / 16 * 16 * sizeof(int64_t); }

// Bytes of an activation of n_padded elements from `prepare`, whatever the set; a multiple of 64. Weights of linear4
// and linear16 need the sums of its groups.
static inline size_t ev_plane_bytes(int32_t n_padded, bool group_sums) {
  const size_t groups = (size_t)n_padded / 32;
  return 2 * (size_t)n_padded + (group_sums ? (groups * 12 + 63) / 64 * 64 : 0);
}

// ------------------------------------------------------------------------------------------ kernel sets

typedef struct {
  const char *name;

  // An activation in the form that this set's products read; linear4 and linear16 need the group sums.
  void (*prepare)(
      const int16_t *q,  // [n], |q| <= 32767
      int32_t n, int32_t n_padded, bool group_sums,
      void *planes);  // [ev_plane_bytes(n_padded, group_sums)], aligned to 8 bytes

  // 4.3 for the outputs of the blocks block_begin..<block_end; writes those t[row][output] and no others.
  void (*linear8)(
      const ev_linear8 *w,
      const void *planes,  // [rows][plane_stride] bytes, each row from `prepare` of the same set
      size_t plane_stride,  // bytes, >= 2 * in_padded
      int32_t rows, int32_t block_begin, int32_t block_end,
      int32_t *t,  // [rows][t_stride]
      size_t t_stride);

  // The same for linear4 and linear4m.
  void (*linear4)(
      const ev_linear4 *w,
      const void *planes,   // [rows][plane_stride] bytes, each row from `prepare` of the same set with group sums
      size_t plane_stride,  // bytes, a multiple of 8, >= ev_plane_bytes(in_padded, true)
      int32_t rows, int32_t block_begin, int32_t block_end,
      int32_t *t,  // [rows][t_stride]
      size_t t_stride);

  // The same for linear16.
  void (*linear16)(
      const ev_linear16 *w,
      const void *planes,   // as for linear4
      size_t plane_stride,  // as for linear4
      int32_t rows, int32_t block_begin, int32_t block_end,
      int32_t *t,  // [rows][t_stride]
      size_t t_stride);

  // 4.2. `scratch` has ev_vector_scratch_bytes(d).
  void (*rms_norm)(
      const int64_t *x,  // [d]
      int32_t d,
      const int32_t *gain,  // [d]
      int32_t gain_exponent, int64_t epsilon,
      int16_t *q,  // [d]
      int32_t *e,  // [1]
      void *scratch);

  // 4.12; `out` may be `x`. `scratch` has ev_vector_scratch_bytes(d).
  void (*layer_norm)(
      const int64_t *x,  // [d]
      int32_t d,
      const int32_t *gain,  // [d]
      int32_t gain_exponent, int64_t epsilon,
      const int32_t *bias,  // [d]
      int32_t bias_exponent, int32_t fraction_bits,
      int64_t *out,  // [d]
      void *scratch);

  // 4.11, in place; the exponent becomes -7 - f of the gain.
  void (*norm_heads)(
      int32_t *t,  // [heads][hd]
      int32_t heads, int32_t hd, int32_t exponent,
      const int32_t *gain,  // [hd]
      int64_t epsilon, int32_t fraction_bits);

  // 4.13.
  void (*quantise)(
      const int64_t *x,  // [d]
      int32_t d, int32_t fraction_bits,
      int16_t *q,   // [d]
      int32_t *e);  // [1]

  // 4.10, in place. Returns the new exponent.
  int32_t (*add_bias)(
      int32_t *t,  // [n]
      int32_t n, int32_t exponent,
      const int32_t *bias,  // [n]
      int32_t bias_exponent);

  // 4.4, in place. `pairs` is R, at most hd / 2.
  void (*rope)(
      int32_t *t,  // [heads][hd]
      int32_t heads, int32_t hd, int32_t pairs,
      const int32_t *cos,   // [pairs]
      const int32_t *sin);  // [pairs]

  // 4.5. `limit` is L.
  void (*quantise_heads)(
      const int32_t *t,  // [heads][hd]
      int32_t heads, int32_t hd, int32_t limit, int32_t exponent,
      int16_t *q,   // [heads][hd]
      int32_t *e);  // [heads]

  // 4.6. The result does not depend on how positions are grouped into calls.
  void (*attention)(const ev_attention *a, void *scratch);

  // The same for a single row (rows = 1, group <= EV_ATTENTION_QUERIES) whose pages threads share: score_part of every
  // part, then weigh_part of every part, then join_parts. NULL in the scalar set.
  void (*score_part)(
      const ev_attention *a, int32_t part, int32_t parts,
      void *shared);  // [parts][ev_attention_part_bytes], aligned to 64 bytes, the same in all three
  void (*weigh_part)(const ev_attention *a, int32_t part, int32_t parts, void *shared);
  void (*join_parts)(const ev_attention *a, int32_t parts, void *shared);

  // 4.7. `scratch` has ev_vector_scratch_bytes(heads * hd).
  void (*merge_heads)(
      const int32_t *t,  // [heads][hd]
      const int32_t *exponent,  // [heads]
      int32_t heads, int32_t hd,
      int16_t *q,  // [heads * hd]
      int32_t *e,  // [1]
      void *scratch);

  // 4.8. `table_pairs` comes from ev_pack_activation. `scratch` has ev_vector_scratch_bytes(n).
  void (*gated)(
      const int32_t *g,  // [n]
      int32_t g_exponent,
      const int32_t *u,  // [n]
      int32_t u_exponent, int32_t n,
      const uint32_t *table_pairs,  // [4096]
      int16_t *q,                   // [n]
      int32_t *e,                   // [1]
      void *scratch);
  void (*activate)(
      const int32_t *g,  // [n]
      int32_t g_exponent, int32_t n,
      const uint32_t *table_pairs,  // [4096]
      int16_t *q,                   // [n]
      int32_t *e,                   // [1]
      void *scratch);

  // 4.9. `exponent` is e + F.
  void (*residual_add)(
      int64_t *x,  // [d]
      const int32_t *t,  // [d]
      int32_t d, int32_t exponent);
  void (*add_residuals)(
      int64_t *x,        // [d]
      const int64_t *z,  // [d]
      int32_t d);

  // 4.15: the weighted sum of what the slots' experts gave.
  void (*combine_experts)(
      const int32_t *t,  // [slots][t_stride]
      size_t t_stride, int32_t slots, int32_t n,
      const int32_t *shares,  // [slots]
      int32_t *out);          // [n]

  // 4.16, in place; the exponent becomes -16.
  void (*softcap)(
      int32_t *t,  // [n]
      int32_t n, int32_t exponent, int32_t cap,
      const int32_t *tanh_table);  // [4097] H of section 5
} ev_kernel_set;

// The set of that name, NULL if it is unknown or this processor cannot run it.
const ev_kernel_set *ev_kernels_by_name(const char *name);

// The fastest set that this processor can run.
const ev_kernel_set *ev_kernels_best(void);

// The names that ev_kernels_by_name accepts here, fastest first, "scalar" last; NULL past the end.
const char *ev_kernels_name(int32_t index);

#ifdef __cplusplus
}
#endif
#endif
