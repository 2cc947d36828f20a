// Sums over a share: in vectors for a while, then added up in doubles.
#pragma once

#include "shares.hpp"

namespace {

constexpr Index AT_ONCE = 4096;  // values of a channel, at least, between two additions of planes to the doubles
constexpr Index ROWS = 1024;     // between two of rows, whose elements each have a sum
// Before the first addition, after which moments are about a mean rather than about a guess. As long as there are few values,
// outliers among them move the mean, and moments about it cost digits: until AT_ONCE or ROWS, additions double the values.
constexpr Index FIRST_AT_ONCE = 512, FIRST_ROWS = 64;
constexpr Index LOOKED_AT = 16;  // one vector of so many is part of a guess, so that no outlier has much of it

// Two sums each of a block's channels or, in rows, elements, waiting to be added to the doubles: in a plane a vector of them.
template <class T, bool Rows>
struct Partial {
    using S = Scalar<T>;
    using V = Vector<T>;
    S *first, *second;
    Index width;
    Partial(const Sums& sums, Index width)
        : first(static_cast<S*>(sums.partial)), second(first + width * (Rows ? 1 : LANES<T>)), width(width) {}

    void clear() { std::memset(first, 0, 2 * width * (Rows ? 1 : LANES<T>) * sizeof(S)); }
    template <class P>
    INLINED void add(Index index, V one, V two, P part) {
        store(first + index, load(first + index, part) + one, part);
        store(second + index, load(second + index, part) + two, part);
    }
    INLINED double total(const S* of, Index index) const {
        if constexpr (Rows) return of[index];
        else return sum(load(of + index * LANES<T>, Whole{}));
    }
};

// The two sums of a plane.
template <class T>
struct Pair {
    Vector<T> one[4], two[4];
    INLINED void clear() {
        for (int accumulator = 0; accumulator < 4; ++accumulator) one[accumulator] = two[accumulator] = Vector<T>{};
    }
    INLINED void add_to(Partial<T, false>& partial, Index channel) const {
        partial.add(channel * LANES<T>, one[0] + one[1] + (one[2] + one[3]), two[0] + two[1] + (two[2] + two[3]), Whole{});
    }
};

// f(Partial) of planes or rows.
template <class T, class F>
INLINE void with_partial(const Job& job, Block block, const Sums& sums, F f) {
    if (job.shape.rows) f(Partial<T, true>(sums, elements(job, block)));
    else f(Partial<T, false>(sums, block.width()));
}

// Whether moments are to be added: to none, to `first` of them, or else to no more than there are, up to `most`.
inline bool due(const Sums& sums, Index first, Index most) {
    const Index known = sums.count, least = known < first ? first : known;
    return sums.waiting >= (least < most ? least : most);
}

template <class T>
void clear(const Job& job, Block block, Sums& sums) {
    const Index width = elements(job, block);
    sums.count = sums.waiting = 0;
    std::memset(sums.first, 0, width * sizeof(double));
    std::memset(sums.second, 0, width * sizeof(double));
    with_partial<T>(job, block, sums, [](auto partial) { partial.clear(); });
}

// f(vector of doubles) over a channel's elements of a row, and the sum of what it gives.
template <class F>
INLINE double summed(const double* from, Index n, F f) {
    Doubles total = {};
    walk<LANES<double>>(n, 0, [&](std::size_t i, auto part) INLINED { total += f(load(from + i, part), part); });
    return sum(total);
}
inline double summed(const double* from, Index n) {
    return summed(from, n, [](Doubles v, auto) INLINED { return v; });
}

template <class S>
void spread(const Job& job, Block block, void* given) {
    const Index pixels = job.shape.pixels;
    S* const values = static_cast<S*>(given);
    for (Index channel = block.width() - 1; channel >= 0; --channel) {  // from behind, where nothing is still needed
        const Vector<S> value = Vector<S>{} + values[channel];
        walk<LANES<S>>(pixels, 0, [&](std::size_t i, auto part) INLINED {
            store(values + channel * pixels + i, value, part);
        });
    }
}

}  // namespace
