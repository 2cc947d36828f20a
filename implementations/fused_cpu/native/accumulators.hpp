// Sums over a partition: in vectors of the computing type first, which are flushed to doubles
// before they lose digits.
#pragma once

#include "partition.hpp"

namespace {

// Values per channel between two flushes, at least: of planes, and of rows, whose elements have a
// sum each.
constexpr Index FLUSH_PLANE_VALUES = 4096, FLUSH_ROWS = 1024;
// Before the first flush moments are about a guess of the mean, later about the mean so far. While
// there are few values, outliers among them move that mean, and moments about it lose digits: so
// flushes come early, and double the number of values until they have the distance above.
constexpr Index FIRST_FLUSH_PLANE_VALUES = 512, FIRST_FLUSH_ROWS = 64;
// A guess of the mean takes one vector in this many, so that an outlier has little weight in it.
constexpr Index GUESS_STRIDE = 16;

// The two sums per channel that are not yet flushed: in a plane a vector of each, in rows one value
// per element.
template <class T, bool RowWise>
struct PartialSums {
    using S = Scalar<T>;
    using V = Vector<T>;
    S *first, *second;
    Index width;
    PartialSums(const Accumulators& accumulators, Index width)
        : first(static_cast<S*>(accumulators.partial)),
          second(first + width * (RowWise ? 1 : LANES<T>)),
          width(width) {}

    void clear() { std::memset(first, 0, 2 * width * (RowWise ? 1 : LANES<T>)*sizeof(S)); }
    template <class L>
    ALWAYS_INLINE void add(Index index, V one, V two, L lanes) {
        store(first + index, load(first + index, lanes) + one, lanes);
        store(second + index, load(second + index, lanes) + two, lanes);
    }
    ALWAYS_INLINE double total(const S* of, Index index) const {
        if constexpr (RowWise) return of[index];
        else return sum(load(of + index * LANES<T>, AllLanes{}));
    }
};

// The two sums of a plane, in four accumulators each, so that no addition waits for the one before.
template <class T>
struct PlaneSums {
    Vector<T> one[4], two[4];
    ALWAYS_INLINE void clear() {
        for (int accumulator = 0; accumulator < 4; ++accumulator)
            one[accumulator] = two[accumulator] = Vector<T>{};
    }
    ALWAYS_INLINE void add_to(PartialSums<T, false>& partial, Index channel) const {
        partial.add(channel * LANES<T>, one[0] + one[1] + (one[2] + one[3]),
                    two[0] + two[1] + (two[2] + two[3]), AllLanes{});
    }
};

// Calls f(PartialSums) for planes or rows.
template <class T, class F>
INLINE void with_partial_sums(const KernelArgs& args, ChannelBlock block,
                              const Accumulators& accumulators, F f) {
    if (args.shape.row_wise) f(PartialSums<T, true>(accumulators, elements(args, block)));
    else f(PartialSums<T, false>(accumulators, block.width()));
}

// Whether to flush moments: when as many values are pending as are flushed, within these bounds.
inline bool flush_due(const Accumulators& accumulators, Index first, Index most) {
    const Index known = accumulators.count, least = known < first ? first : known;
    return accumulators.pending >= (least < most ? least : most);
}

template <class T>
void clear(const KernelArgs& args, ChannelBlock block, Accumulators& accumulators) {
    const Index width = elements(args, block);
    accumulators.count = accumulators.pending = 0;
    std::memset(accumulators.first, 0, width * sizeof(double));
    std::memset(accumulators.second, 0, width * sizeof(double));
    with_partial_sums<T>(args, block, accumulators, [](auto partial) { partial.clear(); });
}

// The sum of f(vector of doubles, lanes) over a channel's elements of a row.
template <class F>
INLINE double sum_over(const double* from, Index n, F f) {
    Doubles total = {};
    for_each_vector<LANES<double>>(n, 0, [&](std::size_t i, auto lanes) ALWAYS_INLINE {
        total += f(load(from + i, lanes), lanes);
    });
    return sum(total);
}
inline double sum_over(const double* from, Index n) {
    return sum_over(from, n, [](Doubles v, auto) ALWAYS_INLINE { return v; });
}

// In place, from the last channel on, so that no value is overwritten before it is read.
template <class S>
void expand(const KernelArgs& args, ChannelBlock block, void* coefficient) {
    const Index pixels = args.shape.pixels;
    S* const values = static_cast<S*>(coefficient);
    for (Index channel = block.width() - 1; channel >= 0; --channel) {
        const Vector<S> value = Vector<S>{} + values[channel];
        for_each_vector<LANES<S>>(pixels, 0, [&](std::size_t i, auto lanes) ALWAYS_INLINE {
            store(values + channel * pixels + i, value, lanes);
        });
    }
}

}  // namespace
