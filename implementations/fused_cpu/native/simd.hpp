// SIMD vectors of float or double and their arithmetic. Only this file and dtypes.hpp depend on the
// instruction set.
//
// Arithmetic uses the vector extension of GCC and Clang, which runs everywhere. Intrinsics are used
// for what it lacks: fused multiply-add, masks, float16 and streaming stores. Everything has
// internal linkage, since the sources that include this are compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// For member functions and lambdas. A sanitized build is not optimized: GCC 12 compiles its calls
// in a third of the time that it takes for copies of what is called.
#ifdef __SANITIZE_ADDRESS__
#define ALWAYS_INLINE
#else
#define ALWAYS_INLINE __attribute__((always_inline))
#endif
#define INLINE static inline ALWAYS_INLINE  // for free functions

namespace {

#if defined(__AVX512F__)
constexpr int VECTOR_BYTES = 64;
#elif defined(__AVX2__)
constexpr int VECTOR_BYTES = 32;
#else
constexpr int VECTOR_BYTES = 16;
#endif

typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));
typedef double Doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef std::int32_t Ints __attribute__((vector_size(VECTOR_BYTES)));
typedef std::uint32_t Words __attribute__((vector_size(VECTOR_BYTES)));
typedef std::int64_t Longs __attribute__((vector_size(VECTOR_BYTES)));
typedef std::uint16_t Halves __attribute__((vector_size(VECTOR_BYTES / 2)));

// Arithmetic ------------------------------------------------------------------------------------

// a·b + c, rounded once where the instruction set has a fused multiply-add.
INLINE Floats fma(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
    return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}
INLINE Doubles fma(Doubles a, Doubles b, Doubles c) {
#if defined(__AVX512F__)
    return (Doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
    return (Doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}

template <class V>
INLINE double sum(V value) {
    double total = 0;
    for (unsigned lane = 0; lane < sizeof value / sizeof value[0]; ++lane) total += value[lane];
    return total;
}

// Masks -----------------------------------------------------------------------------------------
// greater_or_nan(y, limit): the lanes that ReLU lets through: all but y <= limit, so that a NaN
// stays. blend(mask, v, w): v in the lanes that the mask has, w in the others.

#if defined(__AVX512DQ__)
INLINE __mmask16 greater_or_nan(Floats y, float limit) {
    return _mm512_cmp_ps_mask((__m512)y, _mm512_set1_ps(limit), _CMP_NLE_UQ);
}
INLINE __mmask8 greater_or_nan(Doubles y, double limit) {
    return _mm512_cmp_pd_mask((__m512d)y, _mm512_set1_pd(limit), _CMP_NLE_UQ);
}
INLINE Floats blend(__mmask16 mask, Floats v, Floats w) {
    return (Floats)_mm512_mask_mov_ps((__m512)w, mask, (__m512)v);
}
INLINE Doubles blend(__mmask8 mask, Doubles v, Doubles w) {
    return (Doubles)_mm512_mask_mov_pd((__m512d)w, mask, (__m512d)v);
}
INLINE std::uint32_t mask_to_bits(std::uint32_t mask) { return mask; }
template <class V>
INLINE std::uint32_t mask_from_bits(std::uint32_t bits) {
    return bits;
}
#else
INLINE Ints greater_or_nan(Floats y, float limit) { return ~(y <= limit); }
INLINE Longs greater_or_nan(Doubles y, double limit) { return ~(y <= limit); }
INLINE Floats blend(Ints mask, Floats v, Floats w) {
    return (Floats)(((Ints)v & mask) | ((Ints)w & ~mask));
}
INLINE Doubles blend(Longs mask, Doubles v, Doubles w) {
    return (Doubles)(((Longs)v & mask) | ((Longs)w & ~mask));
}
// Here the lanes of a mask are all ones or all zeros. Bit i stands for lane i.
template <class M>
INLINE M lane_bits() {
    M bits;
    for (unsigned lane = 0; lane < sizeof bits / sizeof bits[0]; ++lane) bits[lane] = 1 << lane;
    return bits;
}
template <class M>
INLINE std::uint32_t mask_to_bits(M mask) {
#if defined(__AVX2__)
    if constexpr (sizeof mask[0] == 4) return _mm256_movemask_ps((__m256)mask);
    else return _mm256_movemask_pd((__m256d)mask);
#elif defined(__x86_64__)
    if constexpr (sizeof mask[0] == 4) return _mm_movemask_ps((__m128)mask);
    else return _mm_movemask_pd((__m128d)mask);
#else
    const M selected = mask & lane_bits<M>();
    std::uint32_t bits = 0;
    for (unsigned lane = 0; lane < sizeof selected / sizeof selected[0]; ++lane)
        bits |= selected[lane];
    return bits;
#endif
}
template <class V>
INLINE auto mask_from_bits(std::uint32_t bits) {
    using M = decltype(greater_or_nan(V{}, 0));
    return (M)((lane_bits<M>() & (M{} + static_cast<std::int32_t>(bits))) != 0);
}
#endif

}  // namespace
