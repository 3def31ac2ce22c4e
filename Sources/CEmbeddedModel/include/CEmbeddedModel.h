#ifndef EVIDENT_EMBEDDED_MODEL_H
#define EVIDENT_EMBEDDED_MODEL_H

#include <stddef.h>

// The pack of the demonstration model (docs/spec/model.md), 64-byte aligned, immutable.
const void *evident_embedded_model(void);

// Its length in bytes.
size_t evident_embedded_model_length(void);

#endif
