// The formulas, over spans: stretches of memory in which the channel is either the same or counts up with the lanes.
#pragma once

#include "simd.hpp"

namespace {

#define INLINED __attribute__((always_inline))

// A constant that the whole span shares, and one that each element has its own of. Where no element is, it is 0.
template <class S>
struct Same {
    Vector<S> value;
    explicit Same(const S* from) : value(Vector<S>{} + *from) {}
    INLINED Vector<S> at(std::size_t, Whole) const { return value; }
    INLINED Vector<S> at(std::size_t, Part part) const {
        return where(from_bits<Vector<S>>((1u << part.count) - 1), value);
    }
};
template <class S>
struct Each {
    const S* values;
    explicit Each(const S* from) : values(from) {}
    template <class P>
    INLINED Vector<S> at(std::size_t index, P part) const {
        return load(values + index, part);
    }
};

// Calls f(index, accumulator, Whole or Part): `head` elements first, then whole vectors, four of them at a time with an
// accumulator each, so that sums need not wait for each other, then what is left.
template <int N, class F>
INLINE void walk(std::size_t n, std::size_t head, F f) {
    std::size_t i = 0;
    if (head > 0) {
        if (head > n) head = n;
        f(i, 0, Part{static_cast<int>(head)});
        i = head;
    }
    for (; i + 4 * N <= n; i += 4 * N)
#pragma GCC unroll 4
        for (int accumulator = 0; accumulator < 4; ++accumulator) f(i + accumulator * N, accumulator, Whole{});
    for (; i + N <= n; i += N) f(i, 0, Whole{});
    if (i < n) f(i, 0, Part{static_cast<int>(n - i)});
}

template <int N>
INLINE int count(Whole) {
    return N;
}
template <int N>
INLINE int count(Part part) {
    return part.count;
}

// Bits, one after the other from any place on. Those around them stay.
class BitWriter {
  public:
    INLINED void begin(std::uint8_t* mask, std::int64_t bit) {
        at_ = mask + bit / 8;
        fill_ = bit % 8;
        held_ = fill_ > 0 ? *at_ & ((1u << fill_) - 1) : 0;
    }
    INLINED void append(std::uint32_t bits, int count) {
        held_ |= static_cast<std::uint64_t>(bits & ((1u << count) - 1)) << fill_;
        fill_ += count;
        if (fill_ < 32) return;
        const std::uint32_t whole = static_cast<std::uint32_t>(held_);
        std::memcpy(at_, &whole, sizeof whole);
        at_ += sizeof whole;
        held_ >>= 32;
        fill_ -= 32;
    }
    INLINED void finish() {
        for (; fill_ >= 8; fill_ -= 8, held_ >>= 8) *at_++ = static_cast<std::uint8_t>(held_);
        if (fill_ > 0) *at_ = static_cast<std::uint8_t>((*at_ & ~((1u << fill_) - 1)) | held_);
    }

  private:
    std::uint8_t* at_;
    std::uint64_t held_;
    int fill_;
};

// The 32 bits from any place on. Reads up to seven bytes behind the last bit asked for.
INLINE std::uint32_t bits_at(const std::uint8_t* mask, std::int64_t bit) {
    std::uint64_t found;
    std::memcpy(&found, mask + bit / 8, sizeof found);
    return static_cast<std::uint32_t>(found >> (bit % 8));
}

template <bool Streaming, class T>
INLINE void put(T* to, Vector<T> value, Whole whole) {
    if constexpr (Streaming) stream(to, value);
    else store(to, value, whole);
}
template <bool, class T>
INLINE void put(T* to, Vector<T> value, Part part) {
    store(to, value, part);
}

// How many elements come before the first that a vector can be streamed to.
template <bool Streaming, class T>
INLINE std::size_t head(const T* to) {
    constexpr std::size_t size = sizeof(typename Kind<T>::Packed);
    return Streaming ? (-reinterpret_cast<std::uintptr_t>(to) & (size - 1)) / sizeof(T) : 0;
}

// Forward: output = relu((x - mean)·scale + shift + residual) ----------------------------------------------------------

template <template <class> class K, class S>
struct Affine {
    K<S> mean, scale, shift;
};

// Lies `rows` times at a distance, so that constants are loaded once for all of them.
template <int Rows, bool Residual, bool Relu, bool Masked, bool Streaming, template <class> class K, class T>
INLINE void normalize(const T* x, const T* residual, T* y, std::uint8_t* mask, std::int64_t bit, std::size_t n,
                      std::size_t stride, std::int64_t mask_stride, const Affine<K, Scalar<T>>& affine) {
    constexpr int N = LANES<T>;
    BitWriter bits[Rows];
    if constexpr (Masked)
        for (int row = 0; row < Rows; ++row) bits[row].begin(mask, bit + row * mask_stride);
    walk<N>(n, head<Streaming>(y), [&](std::size_t i, int, auto part) INLINED {
        const Vector<T> mean = affine.mean.at(i, part), scale = affine.scale.at(i, part), shift = affine.shift.at(i, part);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> z = fma(load(x + at, part) - mean, scale, shift);
            if constexpr (Residual) z += load(residual + at, part);
            if constexpr (Relu) {
                const auto keep = positive(z);
                if constexpr (Masked) bits[row].append(to_bits(keep), count<N>(part));
                z = where(keep, z);
            }
            put<Streaming>(y + at, z, part);
        }
    });
    if constexpr (Masked)
        for (int row = 0; row < Rows; ++row) bits[row].finish();
}

// Backward -------------------------------------------------------------------------------------------------------------

// dz: the output's gradient where ReLU let the forward through. A recomputed mask is the forward's to the bit, since the
// operations are the same.
template <int Slope_, class T>
INLINE Vector<T> slope(Vector<T> grad, Vector<T> centred, Vector<T> scale, Vector<T> shift, const std::uint8_t* mask,
                       std::int64_t bit) {
    if constexpr (Slope_ == 1) return where(positive(fma(centred, scale, shift)), grad);
    if constexpr (Slope_ == 2) return where(from_bits<Vector<T>>(bits_at(mask, bit)), grad);
    return grad;
}

// dinput = a·dz + b·(x - mean) + c, or a·dz for frozen statistics, and dresidual = dz. Streaming needs both aligned alike.
template <int Rows, int Slope_, bool Frozen, bool Residual, bool Streaming, template <class> class K, class T>
INLINE void gradient(const T* dy, const T* x, T* dx, T* dz_out, const std::uint8_t* mask, std::int64_t bit, std::size_t n,
                     std::size_t stride, std::int64_t mask_stride, const Affine<K, Scalar<T>>& affine, const K<Scalar<T>>& a,
                     const K<Scalar<T>>& b, const K<Scalar<T>>& c) {
    walk<LANES<T>>(n, head<Streaming>(dx), [&](std::size_t i, int, auto part) INLINED {
        Vector<T> mean = {}, scale = {}, shift = {}, at_x = {}, at_1 = {};
        const Vector<T> at_dz = a.at(i, part);
        if constexpr (!Frozen || Slope_ == 1) mean = affine.mean.at(i, part);
        if constexpr (Slope_ == 1) scale = affine.scale.at(i, part), shift = affine.shift.at(i, part);
        if constexpr (!Frozen) at_x = b.at(i, part), at_1 = c.at(i, part);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> centred = {};
            if constexpr (!Frozen || Slope_ == 1) centred = load(x + at, part) - mean;
            const Vector<T> dz = slope<Slope_, T>(load(dy + at, part), centred, scale, shift, mask, bit + row * mask_stride + i);
            Vector<T> result = at_dz * dz;
            if constexpr (!Frozen) result = fma(at_dz, dz, fma(at_x, centred, at_1));
            put<Streaming>(dx + at, result, part);
            if constexpr (Residual) put<Streaming>(dz_out + at, dz, part);
        }
    });
}

}  // namespace
