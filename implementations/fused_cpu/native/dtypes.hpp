// How data of any dtype come into vectors, and from them into memory.
#pragma once

#include "simd.hpp"

namespace {

struct bfloat16 {
    std::uint16_t bits;
};
struct float16 {
    std::uint16_t bits;
};

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

// The largest number that is rounded to 0 in memory: ReLU's slope is that of the output as it is stored.
template <class T>
constexpr typename Kind<T>::Scalar VANISHING = 0;
template <>
constexpr float VANISHING<bfloat16> = 0x1p-134f;
template <>
constexpr float VANISHING<float16> = 0x1p-25f;

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

// Compilers take these for more instructions than the one that there is.
INLINE Words widen(Halves halves) {
#if defined(__AVX512F__)
    return (Words)_mm512_cvtepu16_epi32((__m256i)halves);
#elif defined(__AVX2__)
    return (Words)_mm256_cvtepu16_epi32((__m128i)halves);
#else
    return __builtin_convertvector(halves, Words);
#endif
}
INLINE Halves upper_halves(Words words) {
#if defined(__AVX512BW__)
    const __m512i odd = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13,
                                         11, 9, 7, 5, 3, 1);
    return (Halves)_mm512_castsi512_si256(_mm512_permutexvar_epi16(odd, (__m512i)words));
#else
    return __builtin_convertvector(words >> 16, Halves);
#endif
}

INLINE Floats unpack(Floats packed, const float*) { return packed; }
INLINE Doubles unpack(Doubles packed, const double*) { return packed; }
// The upper half of a float.
INLINE Floats unpack(Halves packed, const bfloat16*) { return (Floats)(widen(packed) << 16); }

INLINE Floats pack(Floats value, const float*) { return value; }
INLINE Doubles pack(Doubles value, const double*) { return value; }
// To the nearest, ties to even; a NaN keeps its upper half and stays quiet.
INLINE Halves pack(Floats value, const bfloat16*) {
    const Words bits = (Words)value;
    const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
    return upper_halves(value != value ? bits | 0x400000 : rounded);
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
    const Words half = widen(packed);
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

}  // namespace
