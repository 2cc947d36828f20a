// Conversion of single values between double and any dtype: for parameters and statistics, of which
// there are few.
#pragma once

#include <cmath>
#include <cstring>

#include "kernel_api.hpp"

static inline double from_half(std::uint16_t half) {
    const int exponent = (half >> 10) & 31, fraction = half & 1023;
    const double size = exponent == 0    ? std::ldexp(fraction, -24)
                        : exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                                         : std::ldexp(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -size : size;
}

// To the nearest, ties to even. A fraction that rounds up to the next power of two carries into the
// exponent.
static inline std::uint16_t to_half(double value) {
    const int sign = std::signbit(value) ? 0x8000 : 0;
    const double size = std::fabs(value);
    if (size != size) return static_cast<std::uint16_t>(sign | 0x7e00);
    if (size >= 65520) return static_cast<std::uint16_t>(sign | 0x7c00);
    if (size < 0x1p-14)
        return static_cast<std::uint16_t>(sign |
                                          static_cast<int>(std::nearbyint(std::ldexp(size, 24))));
    int exponent;
    // size = fraction · 2^exponent, with fraction in [0.5, 1)
    const double fraction = std::frexp(size, &exponent);
    return static_cast<std::uint16_t>(
        sign | (((exponent + 13) << 10) + static_cast<int>(std::nearbyint(fraction * 2048))));
}

static inline double from_bfloat(std::uint16_t bits) {
    const std::uint32_t whole = static_cast<std::uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &whole, sizeof value);
    return value;
}

static inline std::uint16_t to_bfloat(double value) {
    const float rounded = static_cast<float>(value);
    std::uint32_t bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    if (value != value) return static_cast<std::uint16_t>((bits | 0x400000) >> 16);
    return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// `absent` if there is no array.
static inline double load_scalar(const void* from, int dtype, Index index, double absent) {
    if (from == nullptr) return absent;
    switch (dtype) {
        case FLOAT64: return static_cast<const double*>(from)[index];
        case BFLOAT16: return from_bfloat(static_cast<const std::uint16_t*>(from)[index]);
        case FLOAT16: return from_half(static_cast<const std::uint16_t*>(from)[index]);
        default: return static_cast<const float*>(from)[index];
    }
}

// Does nothing if there is no array.
static inline void store_scalar(void* to, int dtype, Index index, double value) {
    if (to == nullptr) return;
    switch (dtype) {
        case FLOAT64: static_cast<double*>(to)[index] = value; break;
        case BFLOAT16: static_cast<std::uint16_t*>(to)[index] = to_bfloat(value); break;
        case FLOAT16: static_cast<std::uint16_t*>(to)[index] = to_half(value); break;
        default: static_cast<float*>(to)[index] = static_cast<float>(value);
    }
}
