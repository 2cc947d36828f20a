// Spans: stretches of memory in which the channel is either the same or counts up with the lanes.
#pragma once

#include "dtypes.hpp"

namespace {

#define INLINED __attribute__((always_inline))

// The mask of the first lanes.
template <class S>
INLINE auto first(int count) {
    return from_bits<Vector<S>>((1u << count) - 1);
}

// A constant that the whole span shares, and one that each element has its own of. Where no element is, it is 0.
template <class S>
struct Same {
    Vector<S> value;
    Same() = default;
    explicit Same(const S* from) : value(Vector<S>{} + *from) {}
    INLINED Vector<S> at(std::size_t, Whole) const { return value; }
    INLINED Vector<S> at(std::size_t, Part part) const { return where(first<S>(part.count), value, Vector<S>{}); }
    // For a vector of which so many elements are this span's, and the others the next one's.
    INLINED void border(int count, const Same& next) { value = where(first<S>(count), value, next.value); }
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

// Calls f(index, Whole or Part): `head` elements first, then whole vectors, then what is left.
template <int N, class F>
INLINE void walk(std::size_t n, std::size_t head, F f) {
    std::size_t i = 0;
    if (head > 0) {
        if (head > n) head = n;
        f(i, Part{static_cast<int>(head)});
        i = head;
    }
    for (; i + N <= n; i += N) f(i, Whole{});
    if (i < n) f(i, Part{static_cast<int>(n - i)});
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

}  // namespace
