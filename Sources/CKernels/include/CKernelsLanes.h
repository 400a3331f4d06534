#pragma once

/// One round of a loop that waits for another processor: lets the processor save power, and leave
/// the loop without a mispredicted branch.
static inline void mrdib_spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}
