// How a thread traverses its partition of a block: row by row or plane by plane.
#pragma once

#include "kernel_api.hpp"
#include "vector_loops.hpp"

namespace {

// Rows that are traversed together: coefficients and sums are then loaded a quarter as often.
constexpr int TILE = 4;

// Calls f with a constant whose `value` is known at compile time, chosen by a value at run time.
template <auto Value>
struct Constant {
    static constexpr auto value = Value;
};
template <class F>
INLINE void with_constant(bool given, F f) {
    if (given) f(Constant<true>{});
    else f(Constant<false>{});
}

template <class T>
INLINE const T* data(const void* pointer, Index offset) {
    return pointer == nullptr ? nullptr : static_cast<const T*>(pointer) + offset;
}
template <class T>
INLINE T* data(void* pointer, Index offset) {
    return pointer == nullptr ? nullptr : static_cast<T*>(pointer) + offset;
}

// How many coefficients and sums a block has of each kind.
inline Index elements(const KernelArgs& args, ChannelBlock block) {
    return block.width() * (args.shape.row_wise ? args.shape.pixels : 1);
}

// The forward's coefficients, from a channel on. K is Broadcast in a plane, PerElement in a row.
template <template <class> class K, class S>
struct AffineCoefficients {
    K<S> mean, scale, shift;
    AffineCoefficients() = default;
    AffineCoefficients(const Coefficients<S>& coefficients, Index channel)
        : mean(coefficients.mean + channel),
          scale(coefficients.scale + channel),
          shift(coefficients.shift + channel) {}
    ALWAYS_INLINE void blend_tail(int count, const AffineCoefficients& next) {
        mean.blend_tail(count, next.mean);
        scale.blend_tail(count, next.scale);
        shift.blend_tail(count, next.shift);
    }
};

// Rows -------------------------------------------------------------------------------------------

// Calls f(offset, bit, Constant<number of rows>) for tiles of rows, then for each row that is left.
template <class F>
INLINE void for_each_row_tile(const Shape& shape, ChannelBlock block, Partition partition,
                              bool single_rows, F f) {
    Index row = partition.begin;
    const auto next = [&](auto rows) ALWAYS_INLINE {
        f(row * shape.row_size() + block.begin * shape.pixels, mask_bit(shape, row, block.begin, 0),
          rows);
        row += rows.value;
    };
    if (!single_rows)
        while (row + TILE <= partition.end) next(Constant<TILE>{});
    while (row < partition.end) next(Constant<1>{});
}

// Planes -----------------------------------------------------------------------------------------

// Adjacent planes of one sample, or a piece of one plane.
struct Strip {
    Index offset, bit;  // of its first element
    Index channel;      // its first, counted from the block's first
    Index planes, pixels;
};

// The strip of an item that begins with a channel of the block: all planes from there on if
// `whole_planes`, which lie side by side, else a piece of one plane.
inline Strip strip_of(const Shape& shape, ChannelBlock block, Index channel, Index sample,
                      Index start, Index length, bool whole_planes) {
    const Index at = block.begin + channel, left = block.width() - channel;
    const Index planes = left < 0 ? 0 : whole_planes ? left : left < 1 ? left : 1;
    return {(sample * shape.channels + at) * shape.pixels + start,
            mask_bit(shape, sample, at, start), channel, planes, length};
}

// Calls f(strip of one block, strip of the other) for each item of a partition.
template <class F>
INLINE void for_each_strip(const Shape& shape, ChannelBlock one, ChannelBlock other,
                           Partition partition, int lanes, F f) {
    const Index pieces = (shape.pixels + partition.piece - 1) / partition.piece;
    const Index max_width = one.width() > other.width() ? one.width() : other.width();
    // A vector may then lie in two planes, but not in more.
    const bool whole_planes = pieces == 1 && shape.pixels >= lanes;
    for (Index item = partition.begin; item < partition.end; ++item) {
        const Index sample = pieces == 1 ? item : item / pieces;
        const Index start = (item - sample * pieces) * partition.piece;
        const Index length =
            shape.pixels - start < partition.piece ? shape.pixels - start : partition.piece;
        for (Index channel = 0; channel < max_width; channel += whole_planes ? max_width : 1)
            f(strip_of(shape, one, channel, sample, start, length, whole_planes),
              strip_of(shape, other, channel, sample, start, length, whole_planes));
    }
}

}  // namespace
