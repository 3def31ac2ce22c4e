// What the engine's threads need and Swift does not offer.
#ifndef EV_THREADS_H
#define EV_THREADS_H

#include <stdint.h>

// Tells the processor that this thread is waiting for a value to change.
static inline void ev_spin_hint(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

// The processors that this process may use, at least 1.
int32_t ev_processor_count(void);

#endif
