#include "CKernelsHalf.h"

#include <stdint.h>
#include <string.h>

// Moving the bits into place leaves the exponent 112 too low, for subnormal numbers as well; one
// exact product corrects both.
__attribute__((target_clones("avx512f", "avx2", "default"))) void mrdib_widen_half(
    float *restrict wide, const void *restrict values, size_t count) {
  for (size_t k = 0; k < count; k++) {
    uint16_t half;
    memcpy(&half, (const char *)values + k * sizeof half, sizeof half);
    uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float low;
    memcpy(&low, &magnitude, sizeof low);
    low *= 0x1p112f;
    uint32_t finite;
    memcpy(&finite, &low, sizeof finite);
    uint32_t bits = (half & 0x7C00) == 0x7C00 ? magnitude | 0x7F800000 : finite;
    bits |= sign;
    memcpy(wide + k, &bits, sizeof bits);
  }
}
