// Loops over contiguous elements by vectors, with coefficients that are either one value for all
// elements or one per element.
#pragma once

#include "dtypes.hpp"

namespace {

template <class S>
INLINE auto first_lanes_mask(int count) {
    return mask_from_bits<Vector<S>>((1u << count) - 1);
}

// A coefficient that all elements share, and one with a value per element. Lanes beyond FirstLanes
// are 0.
template <class S>
struct Broadcast {
    Vector<S> value;
    Broadcast() = default;
    explicit Broadcast(const S* from) : value(Vector<S>{} + *from) {}
    ALWAYS_INLINE Vector<S> at(std::size_t, AllLanes) const { return value; }
    ALWAYS_INLINE Vector<S> at(std::size_t, FirstLanes lanes) const {
        return blend(first_lanes_mask<S>(lanes.count), value, Vector<S>{});
    }
    // For a vector of which only the first `count` elements are this plane's, and the others
    // `next`'s.
    ALWAYS_INLINE void blend_tail(int count, const Broadcast& next) {
        value = blend(first_lanes_mask<S>(count), value, next.value);
    }
};
template <class S>
struct PerElement {
    const S* values;
    explicit PerElement(const S* from) : values(from) {}
    template <class L>
    ALWAYS_INLINE Vector<S> at(std::size_t index, L lanes) const {
        return load(values + index, lanes);
    }
};

// Calls f(index, AllLanes or FirstLanes): for `head` elements, then for whole vectors, then for the
// tail.
template <int N, class F>
INLINE void for_each_vector(std::size_t n, std::size_t head, F f) {
    std::size_t i = 0;
    if (head > 0) {
        if (head > n) head = n;
        f(i, FirstLanes{static_cast<int>(head)});
        i = head;
    }
    for (; i + N <= n; i += N) f(i, AllLanes{});
    if (i < n) f(i, FirstLanes{static_cast<int>(n - i)});
}

template <int N>
INLINE int lane_count(AllLanes) {
    return N;
}
template <int N>
INLINE int lane_count(FirstLanes lanes) {
    return lanes.count;
}

// Writes consecutive bits from any position on, and keeps the bits around them.
class BitWriter {
  public:
    ALWAYS_INLINE void begin(std::uint8_t* mask, std::int64_t bit) {
        at_ = mask + bit / 8;
        pending_count_ = bit % 8;
        pending_ = pending_count_ > 0 ? *at_ & ((1u << pending_count_) - 1) : 0;
    }
    ALWAYS_INLINE void append(std::uint32_t bits, int count) {
        pending_ |= static_cast<std::uint64_t>(bits & ((1u << count) - 1)) << pending_count_;
        pending_count_ += count;
        if (pending_count_ < 32) return;
        const std::uint32_t word = static_cast<std::uint32_t>(pending_);
        std::memcpy(at_, &word, sizeof word);
        at_ += sizeof word;
        pending_ >>= 32;
        pending_count_ -= 32;
    }
    ALWAYS_INLINE void finish() {
        for (; pending_count_ >= 8; pending_count_ -= 8, pending_ >>= 8)
            *at_++ = static_cast<std::uint8_t>(pending_);
        if (pending_count_ > 0)
            *at_ = static_cast<std::uint8_t>((*at_ & ~((1u << pending_count_) - 1)) | pending_);
    }

  private:
    std::uint8_t* at_;
    std::uint64_t pending_;
    int pending_count_;
};

// The 32 bits from any position on. Reads up to seven bytes beyond the last bit asked for.
INLINE std::uint32_t bits_at(const std::uint8_t* mask, std::int64_t bit) {
    std::uint64_t word;
    std::memcpy(&word, mask + bit / 8, sizeof word);
    return static_cast<std::uint32_t>(word >> (bit % 8));
}

template <bool Streaming, class T>
INLINE void store_output(T* to, Vector<T> value, AllLanes lanes) {
    if constexpr (Streaming) stream(to, value);
    else store(to, value, lanes);
}
template <bool, class T>
INLINE void store_output(T* to, Vector<T> value, FirstLanes lanes) {
    store(to, value, lanes);
}

// How many elements come before the first address that a vector can be streamed to.
template <bool Streaming, class T>
INLINE std::size_t elements_before_aligned(const T* to) {
    constexpr std::size_t size = sizeof(typename DtypeTraits<T>::Packed);
    return Streaming ? (-reinterpret_cast<std::uintptr_t>(to) & (size - 1)) / sizeof(T) : 0;
}

}  // namespace
