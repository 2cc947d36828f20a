// Loading data of any dtype into vectors, and storing vectors as any dtype.
#pragma once

#include "simd.hpp"

namespace {

struct bfloat16 {
    std::uint16_t bits;
};
struct float16 {
    std::uint16_t bits;
};

// Scalar and Vector: what a dtype is computed in. Raw and Packed: what it is in memory, one element
// and a vector of them.
template <class T>
struct DtypeTraits;
template <>
struct DtypeTraits<float> {
    using Scalar = float;
    using Vector = Floats;
    using Packed = Floats;
    using Raw = float;
};
template <>
struct DtypeTraits<double> {
    using Scalar = double;
    using Vector = Doubles;
    using Packed = Doubles;
    using Raw = double;
};
template <>
struct DtypeTraits<bfloat16> {
    using Scalar = float;
    using Vector = Floats;
    using Packed = Halves;
    using Raw = std::uint16_t;
};
template <>
struct DtypeTraits<float16> : DtypeTraits<bfloat16> {};

// The largest number that is stored as 0. ReLU's mask is that of the output as it is stored.
template <class T>
constexpr typename DtypeTraits<T>::Scalar LARGEST_STORED_AS_ZERO = 0;
template <>
constexpr float LARGEST_STORED_AS_ZERO<bfloat16> = 0x1p-134f;
template <>
constexpr float LARGEST_STORED_AS_ZERO<float16> = 0x1p-25f;

template <class T>
using Scalar = typename DtypeTraits<T>::Scalar;
template <class T>
using Vector = typename DtypeTraits<T>::Vector;
template <class T>
constexpr int LANES = VECTOR_BYTES / sizeof(Scalar<T>);

// Which lanes of a vector to access.
struct AllLanes {};
struct FirstLanes {
    int count;
};

// Conversion between the dtype and what it is computed in ---------------------------------------

// Intrinsics, since compilers use several instructions for __builtin_convertvector here.
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
    const __m512i odd = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 29, 27,
                                         25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    return (Halves)_mm512_castsi512_si256(_mm512_permutexvar_epi16(odd, (__m512i)words));
#else
    return __builtin_convertvector(words >> 16, Halves);
#endif
}

INLINE Floats unpack(Floats packed, const float*) { return packed; }
INLINE Doubles unpack(Doubles packed, const double*) { return packed; }
// A bfloat16 is the upper half of a float.
INLINE Floats unpack(Halves packed, const bfloat16*) { return (Floats)(widen(packed) << 16); }

INLINE Floats pack(Floats value, const float*) { return value; }
INLINE Doubles pack(Doubles value, const double*) { return value; }
// To the nearest, ties to even. A NaN keeps its upper half and becomes quiet.
INLINE Halves pack(Floats value, const bfloat16*) {
    const Words bits = (Words)value;
    const Words rounded = bits + 0x7fff + ((bits >> 16) & 1);
    return upper_halves(value != value ? bits | 0x400000 : rounded);
}

#if defined(__AVX512F__)
INLINE Floats unpack(Halves packed, const float16*) {
    return (Floats)_mm512_cvtph_ps((__m256i)packed);
}
INLINE Halves pack(Floats value, const float16*) {
    return (Halves)_mm512_cvtps_ph((__m512)value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#elif defined(__F16C__)
INLINE Floats unpack(Halves packed, const float16*) {
    return (Floats)_mm256_cvtph_ps((__m128i)packed);
}
INLINE Halves pack(Floats value, const float16*) {
    return (Halves)_mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#else
// A half is a float with an exponent bias that is 112 smaller and a fraction that is 13 bits
// shorter. Scaling by 2^112 corrects the exponent and normalizes subnormals. Halves with the
// largest exponent are infinite or NaN, and get the largest exponent of a float.
INLINE Floats unpack(Halves packed, const float16*) {
    const Words half = widen(packed);
    const Floats scaled = (Floats)((half & 0x7fff) << 13) * 0x1p112f;
    const Words magnitude = (half & 0x7c00) == 0x7c00 ? (Words)scaled | 0x7f800000 : (Words)scaled;
    return (Floats)(magnitude | (half & 0x8000) << 16);
}
// Normal halves are rounded in integer arithmetic. Subnormal ones are rounded by adding 0.5, since
// the last place of a float near 0.5 is the last place of a subnormal half.
INLINE Halves pack(Floats value, const float16*) {
    const Words bits = (Words)value, sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
    const Words normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
    const Words small = (Words)((Floats)magnitude + 0.5f) - 0x3f000000;
    const Words large =
        magnitude > 0x7f800000 ? ((magnitude >> 13) & 0x3ff) | 0x7e00 : Words{} + 0x7c00;
    const Words half = magnitude >= 0x477ff000 ? large : magnitude < 0x38800000 ? small : normal;
    return __builtin_convertvector(half | sign, Halves);
}
#endif

// Memory ----------------------------------------------------------------------------------------

template <class T>
INLINE Vector<T> load(const T* from, AllLanes) {
    typename DtypeTraits<T>::Packed packed;
    std::memcpy(&packed, from, sizeof packed);
    return unpack(packed, from);
}

template <class T>
INLINE void store(T* to, Vector<T> value, AllLanes) {
    const auto packed = pack(value, to);
    std::memcpy(to, &packed, sizeof packed);
}

#if defined(__AVX512BW__) && defined(__AVX512VL__)
INLINE Floats masked_load(const float* from, int count) {
    return (Floats)_mm512_maskz_loadu_ps((1u << count) - 1, from);
}
INLINE Doubles masked_load(const double* from, int count) {
    return (Doubles)_mm512_maskz_loadu_pd((1u << count) - 1, from);
}
INLINE Halves masked_load(const std::uint16_t* from, int count) {
    return (Halves)_mm256_maskz_loadu_epi16((1u << count) - 1, from);
}
INLINE void masked_store(float* to, Floats value, int count) {
    _mm512_mask_storeu_ps(to, (1u << count) - 1, (__m512)value);
}
INLINE void masked_store(double* to, Doubles value, int count) {
    _mm512_mask_storeu_pd(to, (1u << count) - 1, (__m512d)value);
}
INLINE void masked_store(std::uint16_t* to, Halves value, int count) {
    _mm256_mask_storeu_epi16(to, (1u << count) - 1, (__m256i)value);
}
#else
template <class R>
INLINE auto masked_load(const R* from, int count) {
    typename DtypeTraits<R>::Packed packed = {};
    for (int lane = 0; lane < count; ++lane) packed[lane] = from[lane];
    return packed;
}
INLINE Halves masked_load(const std::uint16_t* from, int count) {
    Halves packed = {};
    for (int lane = 0; lane < count; ++lane) packed[lane] = from[lane];
    return packed;
}
template <class R, class P>
INLINE void masked_store(R* to, P packed, int count) {
    for (int lane = 0; lane < count; ++lane) to[lane] = packed[lane];
}
#endif

// The other lanes are 0, and their memory is not accessed.
template <class T>
INLINE Vector<T> load(const T* from, FirstLanes lanes) {
    return unpack(
        masked_load(reinterpret_cast<const typename DtypeTraits<T>::Raw*>(from), lanes.count),
        from);
}

template <class T>
INLINE void store(T* to, Vector<T> value, FirstLanes lanes) {
    masked_store(reinterpret_cast<typename DtypeTraits<T>::Raw*>(to), pack(value, to), lanes.count);
}

// A store that bypasses the caches. The address must be a multiple of the size of what is stored.
template <class T>
INLINE void stream(T* to, Vector<T> value) {
    const auto packed = pack(value, to);
#if defined(__AVX512F__)
    if constexpr (sizeof packed == 64)
        return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)packed);
#endif
#if defined(__AVX__)
    if constexpr (sizeof packed == 32)
        return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)packed);
#endif
#if defined(__x86_64__)
    if constexpr (sizeof packed == 16)
        return _mm_stream_si128(reinterpret_cast<__m128i*>(to), (__m128i)packed);
    if constexpr (sizeof packed == 8)
        return _mm_stream_si64(reinterpret_cast<long long*>(to), (long long)packed);
#endif
    std::memcpy(to, &packed, sizeof packed);
}

}  // namespace
