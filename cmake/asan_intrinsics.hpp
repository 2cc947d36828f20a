// Checks for the memory intrinsics that GCC's AddressSanitizer does not instrument: masked loads,
// masked stores and streaming stores compile to builtins that it takes for opaque calls. A
// sanitized build includes this header before all else, so that each such access is checked first.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstddef>

extern "C" void __asan_loadN(void* from, std::ptrdiff_t bytes);
extern "C" void __asan_storeN(void* to, std::ptrdiff_t bytes);

namespace asan_intrinsics {

// Only the lanes that the mask selects are accessed, so only they are checked.
template <class Lane>
static inline void check_load(const Lane* from, unsigned long long mask) {
    for (int lane = 0; lane < 64; ++lane)
        if (mask >> lane & 1) __asan_loadN(const_cast<Lane*>(from + lane), sizeof(Lane));
}
template <class Lane>
static inline void check_store(Lane* to, unsigned long long mask) {
    for (int lane = 0; lane < 64; ++lane)
        if (mask >> lane & 1) __asan_storeN(to + lane, sizeof(Lane));
}

}  // namespace asan_intrinsics

// A macro is not expanded within its own replacement, so the name there is the intrinsic itself.
// test_sanitizers.py fails if the kernels use such an intrinsic that is missing here.
#define _mm512_maskz_loadu_ps(mask, from) \
    (asan_intrinsics::check_load(from, mask), _mm512_maskz_loadu_ps(mask, from))
#define _mm512_maskz_loadu_pd(mask, from) \
    (asan_intrinsics::check_load(from, mask), _mm512_maskz_loadu_pd(mask, from))
#define _mm256_maskz_loadu_epi16(mask, from) \
    (asan_intrinsics::check_load(from, mask), _mm256_maskz_loadu_epi16(mask, from))
#define _mm512_mask_storeu_ps(to, mask, value) \
    (asan_intrinsics::check_store(to, mask), _mm512_mask_storeu_ps(to, mask, value))
#define _mm512_mask_storeu_pd(to, mask, value) \
    (asan_intrinsics::check_store(to, mask), _mm512_mask_storeu_pd(to, mask, value))
#define _mm256_mask_storeu_epi16(to, mask, value) \
    (asan_intrinsics::check_store(to, mask), _mm256_mask_storeu_epi16(to, mask, value))
#define _mm512_stream_si512(to, value) (__asan_storeN(to, 64), _mm512_stream_si512(to, value))
#define _mm256_stream_si256(to, value) (__asan_storeN(to, 32), _mm256_stream_si256(to, value))
#define _mm_stream_si128(to, value) (__asan_storeN(to, 16), _mm_stream_si128(to, value))
#define _mm_stream_si64(to, value) (__asan_storeN(to, 8), _mm_stream_si64(to, value))
#endif
