// How a thread goes over its share of a block: plane by plane or row by row.
#pragma once

#include "passes.hpp"
#include "spans.hpp"

namespace {

constexpr int TILE = 4;  // rows that are gone over together: constants and sums are loaded a quarter as often

// f(a constant): from a value at run time to one at compile time.
template <auto Value>
struct Constant {
    static constexpr auto value = Value;
};
template <class F>
INLINE void with(bool given, F f) {
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

inline Index elements(const Job& job, Block block) { return block.width() * (job.shape.rows ? job.shape.pixels : 1); }

// The forward's constants of a channel on: Same in a plane, Each in a row.
template <template <class> class K, class S>
struct Affine {
    K<S> mean, scale, shift;
    Affine() = default;
    Affine(const Constants<S>& constants, Index channel)
        : mean(constants.mean + channel), scale(constants.scale + channel), shift(constants.shift + channel) {}
    INLINED void border(int count, const Affine& next) {
        mean.border(count, next.mean);
        scale.border(count, next.scale);
        shift.border(count, next.shift);
    }
};

// Rows -----------------------------------------------------------------------------------------------------------------

// Calls f(offset, bit, Constant<number of rows>) for tiles of rows in a share, then for what is left row by row.
template <class F>
INLINE void rows(const Shape& shape, Block block, Share share, bool apart, F f) {
    Index row = share.begin;
    const auto next = [&](auto many) INLINED {
        f(row * shape.row() + block.begin * shape.pixels, bit_of(shape, row, block.begin, 0), many);
        row += many.value;
    };
    if (!apart)
        while (row + TILE <= share.end) next(Constant<TILE>{});
    while (row < share.end) next(Constant<1>{});
}

// Planes ---------------------------------------------------------------------------------------------------------------

// Planes of one sample, one after the other, or a piece of one.
struct Strip {
    Index offset, bit, channel;  // of its first element; the channel counts in its block
    Index planes, pixels;
};

// The strip of a block that begins with its channel at an item: all planes, where they lie side by side, else one.
inline Strip strip_of(const Shape& shape, Block block, Index channel, Index sample, Index start, Index length, bool all) {
    const Index at = block.begin + channel, left = block.width() - channel;
    const Index planes = left < 0 ? 0 : all ? left : left < 1 ? left : 1;
    return {(sample * shape.channels + at) * shape.pixels + start, bit_of(shape, sample, at, start), channel, planes, length};
}

// Calls f(strip of one block, strip of the other) for each item of a share.
template <class F>
INLINE void strips(const Shape& shape, Block one, Block other, Share share, int lanes, F f) {
    const Index pieces = (shape.pixels + share.piece - 1) / share.piece;
    const Index widest = one.width() > other.width() ? one.width() : other.width();
    const bool all = pieces == 1 && shape.pixels >= lanes;  // a vector lies in two planes at most
    for (Index item = share.begin; item < share.end; ++item) {
        const Index sample = pieces == 1 ? item : item / pieces, start = (item - sample * pieces) * share.piece;
        const Index length = shape.pixels - start < share.piece ? shape.pixels - start : share.piece;
        for (Index channel = 0; channel < widest; channel += all ? widest : 1)
            f(strip_of(shape, one, channel, sample, start, length, all),
              strip_of(shape, other, channel, sample, start, length, all));
    }
}

}  // namespace
