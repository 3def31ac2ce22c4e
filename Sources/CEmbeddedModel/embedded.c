#include "CEmbeddedModel.h"

// #embed is standard in C23; clang offers it in every C.
#pragma clang diagnostic ignored "-Wc23-extensions"

_Alignas(64) static const unsigned char pack[] = {
#embed "evident-tiny.pack"
};

const void *evident_embedded_model(void) { return pack; }

size_t evident_embedded_model_length(void) { return sizeof pack; }
