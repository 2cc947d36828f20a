// What GCC's AddressSanitizer does not see: intrinsics that touch memory by an instruction of their own, masked or past the
// caches, are to it calls of no concern. A sanitized build includes this before all else, so that each is asked about first.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstddef>

extern "C" void __asan_loadN(void* from, std::ptrdiff_t bytes);
extern "C" void __asan_storeN(void* to, std::ptrdiff_t bytes);

namespace watched {

// The lanes that the mask has, and no others.
template <class Lane>
static inline void load(const Lane* from, unsigned long long mask) {
    for (int lane = 0; lane < 64; ++lane)
        if (mask >> lane & 1) __asan_loadN(const_cast<Lane*>(from + lane), sizeof(Lane));
}
template <class Lane>
static inline void store(Lane* to, unsigned long long mask) {
    for (int lane = 0; lane < 64; ++lane)
        if (mask >> lane & 1) __asan_storeN(to + lane, sizeof(Lane));
}

}  // namespace watched

// A macro's own name in its text stays what it was: the intrinsic. test_sanitizers.py sees to it that none is forgotten.
#define _mm512_maskz_loadu_ps(mask, from) (watched::load(from, mask), _mm512_maskz_loadu_ps(mask, from))
#define _mm512_maskz_loadu_pd(mask, from) (watched::load(from, mask), _mm512_maskz_loadu_pd(mask, from))
#define _mm256_maskz_loadu_epi16(mask, from) (watched::load(from, mask), _mm256_maskz_loadu_epi16(mask, from))
#define _mm512_mask_storeu_ps(to, mask, value) (watched::store(to, mask), _mm512_mask_storeu_ps(to, mask, value))
#define _mm512_mask_storeu_pd(to, mask, value) (watched::store(to, mask), _mm512_mask_storeu_pd(to, mask, value))
#define _mm256_mask_storeu_epi16(to, mask, value) (watched::store(to, mask), _mm256_mask_storeu_epi16(to, mask, value))
#define _mm512_stream_si512(to, value) (__asan_storeN(to, 64), _mm512_stream_si512(to, value))
#define _mm256_stream_si256(to, value) (__asan_storeN(to, 32), _mm256_stream_si256(to, value))
#define _mm_stream_si128(to, value) (__asan_storeN(to, 16), _mm_stream_si128(to, value))
#define _mm_stream_si64(to, value) (__asan_storeN(to, 8), _mm_stream_si64(to, value))
#endif
