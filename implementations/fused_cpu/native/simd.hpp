// All that depends on an instruction set: vectors of float or double, and how data of any dtype come into them.
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

struct bfloat16 {
    std::uint16_t bits;
};
struct float16 {
    std::uint16_t bits;
};

typedef float Floats __attribute__((vector_size(BYTES)));
typedef double Doubles __attribute__((vector_size(BYTES)));
typedef std::int32_t Ints __attribute__((vector_size(BYTES)));
typedef std::uint32_t Words __attribute__((vector_size(BYTES)));
typedef std::int64_t Longs __attribute__((vector_size(BYTES)));
typedef std::uint16_t Halves __attribute__((vector_size(BYTES / 2)));

// What a dtype is computed in, as a vector; how it lies in memory, as a vector and one by one.
template <class T>
struct Kind;
template <>
struct Kind<float> {
    using Scalar = float;
    using Vector = Floats;
    using Packed = Floats;
    using Raw = float;
};
template <>
struct Kind<double> {
    using Scalar = double;
    using Vector = Doubles;
    using Packed = Doubles;
    using Raw = double;
};
template <>
struct Kind<bfloat16> {
    using Scalar = float;
    using Vector = Floats;
    using Packed = Halves;
    using Raw = std::uint16_t;
};
template <>
struct Kind<float16> : Kind<bfloat16> {};

template <class T>
using Scalar = typename Kind<T>::Scalar;
template <class T>
using Vector = typename Kind<T>::Vector;
template <class T>
constexpr int LANES = BYTES / sizeof(Scalar<T>);

// How much of a vector is there: all of it, or its first lanes.
struct Whole {};
struct Part {
    int count;
};

// Between the dtype and what it is computed in -------------------------------------------------------------------------

INLINE Floats unpack(Floats packed, const float*) { return packed; }
INLINE Doubles unpack(Doubles packed, const double*) { return packed; }
INLINE Floats unpack(Halves packed, const bfloat16*) { return (Floats)(__builtin_convertvector(packed, Words) << 16); }

INLINE Floats pack(Floats value, const float*) { return value; }
INLINE Doubles pack(Doubles value, const double*) { return value; }
// To the nearest, ties to even; a NaN keeps its upper half and stays quiet.
INLINE Halves pack(Floats value, const bfloat16*) {
    const Words bits = (Words)value;
    const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
    return __builtin_convertvector((value != value ? bits | 0x400000 : rounded) >> 16, Halves);
}

#if defined(__AVX512F__)
INLINE Floats unpack(Halves packed, const float16*) { return (Floats)_mm512_cvtph_ps((__m256i)packed); }
INLINE Halves pack(Floats value, const float16*) {
    return (Halves)_mm512_cvtps_ph((__m512)value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#elif defined(__F16C__)
INLINE Floats unpack(Halves packed, const float16*) { return (Floats)_mm256_cvtph_ps((__m128i)packed); }
INLINE Halves pack(Floats value, const float16*) {
    return (Halves)_mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#else
// A half is a float with 112 less in the exponent and 13 bits less in the fraction. Scaling by 2^112 moves the exponent, and
// makes subnormals normal; what then has the largest half exponent or more was infinite or NaN.
INLINE Floats unpack(Halves packed, const float16*) {
    const Words half = __builtin_convertvector(packed, Words);
    const Floats scaled = (Floats)((half & 0x7fff) << 13) * 0x1p112f;
    const Words magnitude = (half & 0x7c00) == 0x7c00 ? (Words)scaled | 0x7f800000 : (Words)scaled;
    return (Floats)(magnitude | (half & 0x8000) << 16);
}
// Normal halves are rounded in the integers; subnormal ones by adding 0.5, in whose last place their own lies.
INLINE Halves pack(Floats value, const float16*) {
    const Words bits = (Words)value, sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
    const Words normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
    const Words small = (Words)((Floats)magnitude + 0.5f) - 0x3f000000;
    const Words large = magnitude > 0x7f800000 ? ((magnitude >> 13) & 0x3ff) | 0x7e00 : Words{} + 0x7c00;
    const Words half = magnitude >= 0x477ff000 ? large : magnitude < 0x38800000 ? small : normal;
    return __builtin_convertvector(half | sign, Halves);
}
#endif

// Memory ---------------------------------------------------------------------------------------------------------------

template <class T>
INLINE Vector<T> load(const T* from, Whole) {
    typename Kind<T>::Packed packed;
    std::memcpy(&packed, from, sizeof packed);
    return unpack(packed, from);
}

template <class T>
INLINE void store(T* to, Vector<T> value, Whole) {
    const auto packed = pack(value, to);
    std::memcpy(to, &packed, sizeof packed);
}

#if defined(__AVX512BW__) && defined(__AVX512VL__)
INLINE Floats masked(const float* from, int count) { return (Floats)_mm512_maskz_loadu_ps((1u << count) - 1, from); }
INLINE Doubles masked(const double* from, int count) { return (Doubles)_mm512_maskz_loadu_pd((1u << count) - 1, from); }
INLINE Halves masked(const std::uint16_t* from, int count) { return (Halves)_mm256_maskz_loadu_epi16((1u << count) - 1, from); }
INLINE void masked(float* to, Floats value, int count) { _mm512_mask_storeu_ps(to, (1u << count) - 1, (__m512)value); }
INLINE void masked(double* to, Doubles value, int count) { _mm512_mask_storeu_pd(to, (1u << count) - 1, (__m512d)value); }
INLINE void masked(std::uint16_t* to, Halves value, int count) {
    _mm256_mask_storeu_epi16(to, (1u << count) - 1, (__m256i)value);
}
#else
template <class R>
INLINE auto masked(const R* from, int count) {
    typename Kind<R>::Packed packed = {};
    for (int lane = 0; lane < count; ++lane) packed[lane] = from[lane];
    return packed;
}
INLINE Halves masked(const std::uint16_t* from, int count) {
    Halves packed = {};
    for (int lane = 0; lane < count; ++lane) packed[lane] = from[lane];
    return packed;
}
template <class R, class P>
INLINE void masked(R* to, P packed, int count) {
    for (int lane = 0; lane < count; ++lane) to[lane] = packed[lane];
}
#endif

// The lanes that are not there are 0.
template <class T>
INLINE Vector<T> load(const T* from, Part part) {
    return unpack(masked(reinterpret_cast<const typename Kind<T>::Raw*>(from), part.count), from);
}

template <class T>
INLINE void store(T* to, Vector<T> value, Part part) {
    masked(reinterpret_cast<typename Kind<T>::Raw*>(to), pack(value, to), part.count);
}

// Past the caches, to an address that is a multiple of what is stored.
template <class T>
INLINE void stream(T* to, Vector<T> value) {
    const auto packed = pack(value, to);
#if defined(__AVX512F__)
    if constexpr (sizeof packed == 64) return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)packed);
#endif
#if defined(__AVX__)
    if constexpr (sizeof packed == 32) return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)packed);
#endif
#if defined(__x86_64__)
    if constexpr (sizeof packed == 16) return _mm_stream_si128(reinterpret_cast<__m128i*>(to), (__m128i)packed);
    if constexpr (sizeof packed == 8) return _mm_stream_si64(reinterpret_cast<long long*>(to), (long long)packed);
#endif
    std::memcpy(to, &packed, sizeof packed);
}

// Has what was streamed be seen by other threads before what is stored next.
INLINE void settle() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

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
// positive(y): the lanes that ReLU lets through, all but y <= 0, so that a NaN stays. where(mask, v): v there, else 0.

#if defined(__AVX512DQ__)
INLINE __mmask16 positive(Floats y) { return _mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_NLE_UQ); }
INLINE __mmask8 positive(Doubles y) { return _mm512_cmp_pd_mask((__m512d)y, _mm512_setzero_pd(), _CMP_NLE_UQ); }
INLINE Floats where(__mmask16 mask, Floats v) { return (Floats)_mm512_maskz_mov_ps(mask, (__m512)v); }
INLINE Doubles where(__mmask8 mask, Doubles v) { return (Doubles)_mm512_maskz_mov_pd(mask, (__m512d)v); }
INLINE std::uint32_t to_bits(std::uint32_t mask) { return mask; }
template <class V>
INLINE std::uint32_t from_bits(std::uint32_t bits) {
    return bits;
}
#else
INLINE Ints positive(Floats y) { return ~(y <= 0); }
INLINE Longs positive(Doubles y) { return ~(y <= 0); }
INLINE Floats where(Ints mask, Floats v) { return (Floats)((Ints)v & mask); }
INLINE Doubles where(Longs mask, Doubles v) { return (Doubles)((Longs)v & mask); }
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
    using M = decltype(positive(V{}));
    return (M)((own_bits<M>() & (M{} + static_cast<std::int32_t>(bits))) != 0);
}
#endif

}  // namespace
