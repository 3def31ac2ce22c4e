// The memory layouts that all kernel sets share, and what is done once per weight or per token in them.
#include "attention.h"

enum { RESIDUAL_BITS = 47 };
static const int64_t residual_max = ((int64_t)1 << 46) - 1;

int32_t ev_linear8_shift(int32_t in, uint32_t multiplier_max) {
  const uint64_t bound = (uint64_t)32767 * 128 * (uint64_t)in * multiplier_max;  // < 2^62
  const uint64_t limit = ((uint64_t)1 << 30) - 1;
  int32_t s = 0;
  while (bound > limit << s) s++;
  return s;
}

// The 4 inputs from `input` on of output `output` lie at this index.
static size_t group_index(int32_t output, int32_t input, int32_t in_padded) {
  return (size_t)(output / 16) * 16 * (size_t)in_padded + (size_t)(input / 4) * 64 + (size_t)(output % 16) * 4;
}

void ev_pack_linear8(
    const int8_t *w, int32_t out, int32_t in, int32_t block_begin, int32_t block_end, int8_t *packed,
    int32_t *row_sum) {
  const int32_t in_padded = ev_padded_in(in), whole = in / 4 * 4;
  for (int32_t block = block_begin; block < block_end; block++) {
    for (int32_t j = block * 16; j < block * 16 + 16; j++) {
      row_sum[j] = 0;
      if (j >= out) continue;
      const int8_t *row = w + (size_t)j * (size_t)in;
      int32_t sum = 0;
      for (int32_t i = 0; i < in; i++) sum += row[i];
      row_sum[j] = sum;
    }
    // Groups outside, outputs inside: each 64-byte group is written whole.
    for (int32_t i = 0; i < in_padded; i += 4) {
      int8_t *group = packed + group_index(block * 16, i, in_padded);
      for (int32_t lane = 0; lane < 16; lane++) {
        const int32_t j = block * 16 + lane;
        int8_t four[4] = {0, 0, 0, 0};
        if (j < out) {
          const int8_t *source = w + (size_t)j * (size_t)in + i;
          if (i < whole) {
            memcpy(four, source, 4);
          } else {
            for (int32_t c = 0; i + c < in; c++) four[c] = source[c];
          }
        }
        memcpy(group + lane * 4, four, 4);
      }
    }
  }
}

void ev_linear4_shifts(int32_t in, int64_t weight_max, uint32_t multiplier_max, int32_t *shift1, int32_t *shift2) {
  const int64_t bound = (int64_t)32767 * weight_max * in;  // <= 2^61
  int32_t s1 = 0, s2 = 0;
  while (bound > (int64_t)1 << (38 + s1)) s1++;
  const int64_t product = ev_rs(bound, s1) * (int64_t)multiplier_max;  // < 2^62
  while (product > (((int64_t)1 << 30) - 1) << s2) s2++;
  *shift1 = s1;
  *shift2 = s2;
}

// Four nibbles, the first in the lowest bits, to four bytes.
static uint32_t spread(uint32_t nibbles) {
  const uint32_t pairs = (nibbles | nibbles << 8) & 0x00ff00ff;
  return (pairs | pairs << 4) & 0x0f0f0f0f;
}

// Puts the 32 nibbles of a group into an output's places. Returns Σ u.
static int32_t pack_group(const uint8_t *u, int32_t lane, uint8_t *nibbles) {
  uint32_t sum = 0;
  for (int32_t m = 0; m < 4; m++) {
    uint32_t eight;  // this and the other uses of memcpy below rely on a little-endian processor
    memcpy(&eight, u + m * 4, sizeof eight);
    const uint32_t low = spread(eight & 0xffff), high = spread(eight >> 16), both = low | high << 4;
    memcpy(nibbles + m * 64 + lane * 4, &both, sizeof both);
    sum += ((low + high) * 0x01010101u) >> 24;
  }
  return (int32_t)sum;
}

// Where pack_group has put the input `i` of a group.
static uint8_t unpacked_nibble(const uint8_t *nibbles, int32_t lane, int32_t i) {
  return nibbles[i / 8 * 64 + lane * 4 + i % 4] >> (i % 8 < 4 ? 0 : 4) & 15;
}

// The largest |w| that a group can have.
static int64_t largest_weight(int64_t multiplier, int64_t minimum, bool minimums) {
  if (!minimums) return 8 * (int64_t)ev_magnitude(multiplier);
  const int64_t lowest = (int64_t)ev_magnitude(minimum), highest = (int64_t)ev_magnitude(15 * multiplier - minimum);
  return lowest > highest ? lowest : highest;
}

int64_t ev_pack_linear4(
    const uint8_t *u, const uint16_t *group_multipliers, const uint16_t *group_minimums, int32_t out, int32_t in,
    int32_t block_begin, int32_t block_end, uint8_t *packed, int64_t *offset) {
  const bool minimums = group_minimums != NULL;
  const int32_t records = ev_padded_in(in) / 64, groups = in / 32;
  const size_t record_bytes = ev_linear4_record_bytes(minimums);
  int64_t weight_max = 0;
  for (int32_t block = block_begin; block < block_end; block++) {
    int64_t sums[16] = {0};
    for (int32_t record = 0; record < records; record++) {
      uint8_t *nibbles = packed + ((size_t)block * (size_t)records + (size_t)record) * record_bytes;
      memset(nibbles, 0x88, 512);
      memset(nibbles + 512, 0, record_bytes - 512);
      for (int32_t part = 0; part < 2 && record * 2 + part < groups; part++) {
        for (int32_t lane = 0; lane < 16 && block * 16 + lane < out; lane++) {
          const size_t j = (size_t)(block * 16 + lane), at = j * (size_t)groups + (size_t)(record * 2 + part);
          const uint16_t g = group_multipliers[at], b = minimums ? group_minimums[at] : 0;
          memcpy(nibbles + 512 + part * 32 + lane * 2, &g, sizeof g);
          if (minimums) memcpy(nibbles + 576 + part * 32 + lane * 2, &b, sizeof b);
          const int64_t multiplier = ev_group_multiplier(g);
          sums[lane] += multiplier * (pack_group(u + at * 16, lane, nibbles + part * 256) - 256) * 32768;
          const int64_t largest = largest_weight(multiplier, 16 * ev_group_multiplier(b), minimums);
          if (largest > weight_max) weight_max = largest;
        }
      }
    }
    for (int32_t lane = 0; lane < 16; lane++) offset[block * 16 + lane % 2 * 8 + lane / 2] = sums[lane];
  }
  return weight_max;
}

void ev_pack_linear16(
    const int16_t *w, int32_t out, int32_t in, int32_t block_begin, int32_t block_end, int8_t *packed,
    int64_t *offset) {
  const int32_t in_padded = ev_padded_in(in);
  for (int32_t block = block_begin; block < block_end; block++) {
    int8_t *groups = packed + (size_t)block * 32 * (size_t)in_padded;
    memset(groups, 0, 32 * (size_t)in_padded);
    for (int32_t lane = 0; lane < 16; lane++) {
      const int32_t j = block * 16 + lane;
      int64_t sum = 0;
      for (int32_t i = 0; j < out && i < in; i++) {
        const int32_t value = w[(size_t)j * (size_t)in + (size_t)i];
        int8_t *at = groups + (size_t)(i / 4) * 128 + (size_t)(lane * 4 + i % 4);
        at[0] = (int8_t)(value >> 8);
        at[64] = (int8_t)((value & 255) - 128);
        sum += value - 128;
      }
      offset[block * 16 + lane % 2 * 8 + lane / 2] = sum * 32768;
    }
  }
}

void ev_embed_table16(const int16_t *w, int32_t d, uint64_t multiplier, int32_t exponent, int64_t *x) {
  for (int32_t c = 0; c < d; c++) {
    const int64_t product = (int64_t)w[c] * (int64_t)multiplier;
    x[c] = ev_clamp(ev_sh_saturating(product, exponent, RESIDUAL_BITS), -residual_max, residual_max);
  }
}

void ev_embed_linear8(const ev_linear8 *head, int32_t token, uint32_t scale, int32_t exponent, int64_t *x) {
  const int64_t multiplier = (int64_t)head->multiplier[token] * scale;
  for (int32_t c = 0; c < head->in; c++) {
    const int64_t product = multiplier * head->packed[group_index(token, c, head->in_padded) + (size_t)(c % 4)];
    x[c] = ev_clamp(ev_sh_saturating(product, exponent, RESIDUAL_BITS), -residual_max, residual_max);
  }
}

// clamp(SH(x, n), -X, X) for |x| < 2^126: weights of groups times both multipliers do not fit 64 bits.
static int64_t wide_residual(__int128 x, int32_t n) {
  if (n < 0) {
    const int32_t s = -n < 127 ? -n : 127;
    x = (x >> s) + ((x >> (s - 1)) & 1);
    return x > residual_max ? residual_max : x < -residual_max ? -residual_max : (int64_t)x;
  }
  const int64_t largest = residual_max >> (n < 63 ? n : 63);
  return x > largest ? residual_max : x < -largest ? -residual_max : (int64_t)x * ((int64_t)1 << (n < 63 ? n : 0));
}

void ev_embed_linear4(const ev_linear4 *head, int32_t token, uint32_t scale, int32_t exponent, int64_t *x) {
  const size_t record_bytes = ev_linear4_record_bytes(head->minimums), records = (size_t)head->in_padded / 64;
  const uint8_t *block = head->packed + (size_t)(token / 16) * records * record_bytes;
  const int32_t lane = token % 16;
  const int64_t multiplier = (int64_t)head->multiplier[token] * scale;
  for (int32_t g = 0; g < head->in / 32; g++) {
    const uint8_t *record = block + (size_t)(g / 2) * record_bytes;
    uint16_t code, minimum = 0;
    memcpy(&code, record + 512 + g % 2 * 32 + lane * 2, sizeof code);
    if (head->minimums) memcpy(&minimum, record + 576 + g % 2 * 32 + lane * 2, sizeof minimum);
    // u G - B, or (u - 8) G
    const int64_t factor = ev_group_multiplier(code);
    const int64_t least = head->minimums ? 16 * (int64_t)ev_group_multiplier(minimum) : 8 * factor;
    for (int32_t i = 0; i < 32; i++) {
      const int64_t w = (int64_t)unpacked_nibble(record + g % 2 * 256, lane, i) * factor - least;
      x[g * 32 + i] = wide_residual((__int128)w * multiplier, exponent);
    }
  }
}

void ev_embed_linear16(const ev_linear16 *head, int32_t token, uint32_t scale, int32_t exponent, int64_t *x) {
  const int8_t *block = head->packed + (size_t)(token / 16) * 32 * (size_t)head->in_padded;
  const int64_t multiplier = (int64_t)head->multiplier[token] * scale;
  for (int32_t i = 0; i < head->in; i++) {
    const int8_t *at = block + (size_t)(i / 4) * 128 + (size_t)(token % 16 * 4 + i % 4);
    const int64_t product = multiplier * (at[0] * 256 + at[64] + 128);
    x[i] = ev_clamp(ev_sh_saturating(product, exponent, RESIDUAL_BITS), -residual_max, residual_max);
  }
}

void ev_pack_activation(const int32_t *table, uint32_t *pairs) {
  for (int32_t i = 0; i < 4096; i++) pairs[i] = (uint32_t)table[i] | (uint32_t)table[i + 1] << 16;
}

static int64_t route_weight(int32_t t, int32_t t_max, int32_t shift) {
  const int64_t limit = ((int64_t)1 << 30) - 1;
  const int64_t b = ev_clamp(ev_sh_saturating(t, shift, 31), -limit, limit);
  const int64_t delta = ev_clamp(ev_sh_saturating(t_max, shift, 31), -limit, limit) - b;
  return ev_rs((int64_t)ev_exp2_table((int32_t)(delta % 4096)) << 9, (int32_t)(delta / 4096));
}

void ev_route(
    const int32_t *t, int32_t experts, int32_t exponent, int32_t slots, bool shares_of_all, int32_t *ids,
    int32_t *shares) {
  // Insertion keeps the best so far in order; of equals the earlier stays first.
  int32_t count = 0;
  for (int32_t x = 0; x < experts; x++) {
    if (count == slots && t[x] <= t[ids[count - 1]]) continue;
    int32_t at = count < slots ? count++ : slots - 1;
    for (; at > 0 && t[ids[at - 1]] < t[x]; at--) ids[at] = ids[at - 1];
    ids[at] = x;
  }
  const int32_t t_max = t[ids[0]];
  int64_t sum = 0;
  for (int32_t k = 0; k < (shares_of_all ? experts : slots); k++) {
    sum += route_weight(t[shares_of_all ? k : ids[k]], t_max, exponent + 12);
  }
  for (int32_t k = 0; k < slots; k++) {
    shares[k] = (int32_t)ev_divided(route_weight(t[ids[k]], t_max, exponent + 12) << 24, sum);
  }
}

size_t ev_page_bytes(int32_t hd) {
  return (size_t)EV_PAGE_POSITIONS * (2 * (size_t)hd * sizeof(int16_t) + 2 * sizeof(int32_t));
}

void ev_page_store(
    void *page, int32_t slot, int32_t hd, const int16_t *key, int32_t key_exponent, const int16_t *value,
    int32_t value_exponent) {
  int16_t *keys = (int16_t *)page;
  int16_t *values = keys + (size_t)EV_PAGE_POSITIONS * (size_t)hd;
  int32_t *exponents = (int32_t *)(void *)(values + (size_t)EV_PAGE_POSITIONS * (size_t)hd);
  int16_t *key_slot = keys + (size_t)(slot / 16) * 16 * (size_t)hd + (size_t)(slot % 16) * 2;
  for (int32_t c = 0; c < hd; c += 2) memcpy(key_slot + (size_t)c * 16, key + c, 2 * sizeof(int16_t));
  int16_t *value_slot = values + (size_t)(slot / 2) * 2 * (size_t)hd + (size_t)(slot % 2);
  for (int32_t c = 0; c < hd; c++) value_slot[(size_t)c * 2] = value[c];
  exponents[slot] = key_exponent;
  exponents[EV_PAGE_POSITIONS + slot] = value_exponent;
}

size_t ev_attention_scratch_bytes(int32_t rows, int32_t group, int32_t hd, int32_t positions) {
  const size_t per_query = (size_t)ev_padded_positions(positions) * sizeof(int32_t);
  const size_t one_row = (size_t)ev_attention_heads_at_once(group) * per_query;
  const size_t all_rows = (size_t)rows * one_row;
  const size_t most = one_row > EV_ATTENTION_SCORE_BYTES ? one_row : EV_ATTENTION_SCORE_BYTES;
  const size_t sums = (size_t)EV_ATTENTION_QUERIES * (size_t)ev_padded_head(hd) * sizeof(int64_t);
  return (all_rows < most ? all_rows : most) + sums + 64;
}

size_t ev_attention_part_bytes(int32_t group, int32_t hd, int32_t positions, int32_t parts) {
  const int32_t pages = ev_padded_positions(positions) / EV_PAGE_POSITIONS;
  const size_t span = (size_t)((pages + parts - 1) / parts) * EV_PAGE_POSITIONS;
  const size_t sums = (size_t)ev_padded_head(hd) * sizeof(int64_t);
  return EV_PART_HEADER_BYTES + (size_t)group * (span * sizeof(int32_t) + sums);
}
