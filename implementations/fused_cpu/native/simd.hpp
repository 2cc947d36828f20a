// Vectors of float or double, and their arithmetic: with dtypes.hpp, all that depends on an instruction set.
//
// Arithmetic is GCC's vector extension, which Clang has too and which runs everywhere; intrinsics stand where it has no word:
// fused multiply-add, masks, float16, streaming stores. Everything is internal to the source that includes this, since that
// is compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

namespace {

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX2__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif

typedef float Floats __attribute__((vector_size(BYTES)));
typedef double Doubles __attribute__((vector_size(BYTES)));
typedef std::int32_t Ints __attribute__((vector_size(BYTES)));
typedef std::uint32_t Words __attribute__((vector_size(BYTES)));
typedef std::int64_t Longs __attribute__((vector_size(BYTES)));
typedef std::uint16_t Halves __attribute__((vector_size(BYTES / 2)));

// Arithmetic -----------------------------------------------------------------------------------------------------------

// a·b + c, rounded once where the instruction set can.
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

// Masks ----------------------------------------------------------------------------------------------------------------
// above(y, least): the lanes that ReLU lets through, all but y <= least, so that a NaN stays. where(mask, v, w): v there, else w.

#if defined(__AVX512DQ__)
INLINE __mmask16 above(Floats y, float least) {
    return _mm512_cmp_ps_mask((__m512)y, _mm512_set1_ps(least), _CMP_NLE_UQ);
}
INLINE __mmask8 above(Doubles y, double least) {
    return _mm512_cmp_pd_mask((__m512d)y, _mm512_set1_pd(least), _CMP_NLE_UQ);
}
INLINE Floats where(__mmask16 mask, Floats v, Floats w) { return (Floats)_mm512_mask_mov_ps((__m512)w, mask, (__m512)v); }
INLINE Doubles where(__mmask8 mask, Doubles v, Doubles w) { return (Doubles)_mm512_mask_mov_pd((__m512d)w, mask, (__m512d)v); }
INLINE std::uint32_t to_bits(std::uint32_t mask) { return mask; }
template <class V>
INLINE std::uint32_t from_bits(std::uint32_t bits) {
    return bits;
}
#else
INLINE Ints above(Floats y, float least) { return ~(y <= least); }
INLINE Longs above(Doubles y, double least) { return ~(y <= least); }
INLINE Floats where(Ints mask, Floats v, Floats w) { return (Floats)(((Ints)v & mask) | ((Ints)w & ~mask)); }
INLINE Doubles where(Longs mask, Doubles v, Doubles w) { return (Doubles)(((Longs)v & mask) | ((Longs)w & ~mask)); }
// A mask's lanes are all ones or all zeros; each keeps the bit of its own number, and the bits are gathered.
template <class M>
INLINE M own_bits() {
    M bits;
    for (unsigned lane = 0; lane < sizeof bits / sizeof bits[0]; ++lane) bits[lane] = 1 << lane;
    return bits;
}
template <class M>
INLINE std::uint32_t to_bits(M mask) {
#if defined(__AVX2__)
    if constexpr (sizeof mask[0] == 4) return _mm256_movemask_ps((__m256)mask);
    else return _mm256_movemask_pd((__m256d)mask);
#elif defined(__x86_64__)
    if constexpr (sizeof mask[0] == 4) return _mm_movemask_ps((__m128)mask);
    else return _mm_movemask_pd((__m128d)mask);
#else
    const M kept = mask & own_bits<M>();
    std::uint32_t bits = 0;
    for (unsigned lane = 0; lane < sizeof kept / sizeof kept[0]; ++lane) bits |= kept[lane];
    return bits;
#endif
}
template <class V>
INLINE auto from_bits(std::uint32_t bits) {
    using M = decltype(above(V{}, 0));
    return (M)((own_bits<M>() & (M{} + static_cast<std::int32_t>(bits))) != 0);
}
#endif

}  // namespace
