#ifndef EVIDENT_GZIP_H
#define EVIDENT_GZIP_H

#include <stddef.h>
#include <stdint.h>

// The most bytes that ev_gzip writes for `count` bytes.
size_t ev_gzip_bound(size_t count);

// Writes a gzip file (RFC 1952) of `in`, and returns its length; 0 if `capacity` or memory is too small.
size_t ev_gzip(const uint8_t *in, size_t count, uint8_t *out, size_t capacity);

#endif
