#include "gzip.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

// Header and trailer of gzip around what zlib bounds.
size_t ev_gzip_bound(size_t count) { return compressBound(count) + 32; }

size_t ev_gzip(const uint8_t *in, size_t count, uint8_t *out, size_t capacity) {
  if (count > UINT_MAX || capacity > UINT_MAX) return 0;
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  // 15 bits of window, and 16 for gzip instead of zlib.
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
  stream.next_in = (Bytef *)in;
  stream.avail_in = (uInt)count;
  stream.next_out = out;
  stream.avail_out = (uInt)capacity;
  int result = deflate(&stream, Z_FINISH);
  size_t length = stream.total_out;
  deflateEnd(&stream);
  return result == Z_STREAM_END ? length : 0;
}
