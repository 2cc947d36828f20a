// The passes over a share, by planes or by rows. Sums are kept in vectors for a while, then added up in doubles: moments are
// taken about the mean so far, and joined by Chan, Golub and LeVeque's formula (1979, "Updating formulae and a pairwise
// algorithm for computing sample variances"), so that a large mean costs no digits.
#include "passes.hpp"

#include <isa.hpp>

#include "spans.hpp"

namespace {

constexpr Index AT_ONCE = 4096;  // values of a channel, at least, between two additions to the doubles
constexpr int TILE = 4;          // rows that are gone over together: constants and sums are loaded a quarter as often
constexpr Index TILES = 256;     // of them between two additions

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
template <class F>
INLINE void with(Slope given, F f) {
    if (given == Slope::one) f(Constant<0>{});
    else if (given == Slope::recomputed) f(Constant<1>{});
    else f(Constant<2>{});
}

template <class T>
INLINE const T* data(const void* pointer, Index offset) {
    return pointer == nullptr ? nullptr : static_cast<const T*>(pointer) + offset;
}
template <class T>
INLINE T* data(void* pointer, Index offset) {
    return pointer == nullptr ? nullptr : static_cast<T*>(pointer) + offset;
}

// A constant throughout a plane, and each element's own in a row.
template <bool Rows>
struct Layout;
template <>
struct Layout<true> {
    template <class S>
    using K = Each<S>;
};
template <>
struct Layout<false> {
    template <class S>
    using K = Same<S>;
};

template <template <class> class K, class S>
INLINE Affine<K, S> affine(const Constants<S>& constants, Index channel) {
    return {K<S>(constants.mean + channel), K<S>(constants.scale + channel), K<S>(constants.shift + channel)};
}

// Calls f(offset, bit, length, channel of the block) for each piece of a plane in a share.
template <class F>
INLINE void planes(const Shape& shape, Block block, Share share, F f) {
    const Index pieces = (shape.pixels + share.piece - 1) / share.piece;
    for (Index item = share.begin; item < share.end; ++item) {
        const Index sample = item / pieces, start = item % pieces * share.piece;
        const Index length = shape.pixels - start < share.piece ? shape.pixels - start : share.piece;
        for (Index channel = block.begin; channel < block.end; ++channel)
            f((sample * shape.channels + channel) * shape.pixels + start, bit_of(shape, sample, channel, start), length,
              channel - block.begin);
    }
}

// Calls f(offset, bit, Constant<number of rows>) for tiles of rows in a share, then for what is left row by row.
template <class F>
INLINE void rows(const Shape& shape, Block block, Share share, F f) {
    Index row = share.begin;
    const auto next = [&](auto many) INLINED {
        f(row * shape.row() + block.begin * shape.pixels, bit_of(shape, row, block.begin, 0), many);
        row += many.value;
    };
    while (row + TILE <= share.end) next(Constant<TILE>{});
    while (row < share.end) next(Constant<1>{});
}

// Sums -----------------------------------------------------------------------------------------------------------------

// Two sums each of a block's channels or, in rows, elements, waiting to be added to the doubles: in a plane a vector of them.
template <class T, bool Rows>
struct Partial {
    using S = Scalar<T>;
    using V = Vector<T>;
    S *first, *second;
    Index width;
    Partial(void* at, Index width) : first(static_cast<S*>(at)), second(first + width * (Rows ? 1 : LANES<T>)), width(width) {}

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

// What was summed about the origin joins the moments, whose mean is the next origin.
template <class T, bool Rows>
void join(Sums& sums, Partial<T, Rows>& partial, Index fresh) {
    if (fresh == 0) return;
    Scalar<T>* const origin = static_cast<Scalar<T>*>(sums.origin);
    const double n = fresh, share = n / (sums.count + n), both = sums.count * share;
    for (Index index = 0; index < partial.width; ++index) {
        const double shifted = partial.total(partial.first, index) / n;
        const double spread = partial.total(partial.second, index) - n * shifted * shifted;
        const double apart = origin[index] + shifted - sums.first[index];
        sums.first[index] += share * apart;
        sums.second[index] += (spread < 0 ? 0 : spread) + apart * apart * both;
        origin[index] = static_cast<Scalar<T>>(sums.first[index]);
    }
    sums.count += fresh;
    partial.clear();
}

template <class T, bool Rows>
void add(Sums& sums, Partial<T, Rows>& partial) {
    for (Index index = 0; index < partial.width; ++index) {
        sums.first[index] += partial.total(partial.first, index);
        sums.second[index] += partial.total(partial.second, index);
    }
    partial.clear();
}

Index elements(const Job& job, Block block) { return block.width() * (job.shape.rows ? job.shape.pixels : 1); }

template <class T>
void clear(const Job& job, Block block, Sums& sums) {
    const Index width = elements(job, block);
    sums.count = 0;
    std::memset(sums.first, 0, width * sizeof(double));
    std::memset(sums.second, 0, width * sizeof(double));
    if (job.shape.rows) Partial<T, true>(sums.partial, width).clear();
    else Partial<T, false>(sums.partial, width).clear();
}

template <class T>
void moments_of_rows(const Job& job, Block block, Share share, Sums& sums) {
    if (share.begin >= share.end) return;
    const Index stride = job.shape.row(), width = elements(job, block);
    Partial<T, true> partial(sums.partial, width);
    Scalar<T>* const origin = static_cast<Scalar<T>*>(sums.origin);
    if (sums.count == 0)
        walk<LANES<T>>(width, 0, [&](std::size_t i, int, auto part) INLINED {
            const T* x = data<T>(job.input, share.begin * stride + block.begin * job.shape.pixels + i);
            const Index rows = share.end - share.begin < 8 ? share.end - share.begin : 8;
            Vector<T> total = {};
            for (Index row = 0; row < rows; ++row) total += load(x + row * stride, part);
            store(origin + i, total / static_cast<Scalar<T>>(rows), part);
        });
    Index fresh = 0;
    rows(job.shape, block, share, [&](Index offset, Index, auto many) INLINED {
        walk<LANES<T>>(width, 0, [&](std::size_t i, int, auto part) INLINED {
            const Vector<T> about = load(origin + i, part);
            Vector<T> one = {}, two = {};
#pragma GCC unroll 4
            for (int row = 0; row < many.value; ++row) {
                const Vector<T> centred = load(data<T>(job.input, offset + i + row * stride), part) - about;
                one += centred;
                two = fma(centred, centred, two);
            }
            partial.add(i, one, two, part);
        });
        fresh += many.value;
        if (fresh >= TILE * TILES) join(sums, partial, fresh), fresh = 0;
    });
    join(sums, partial, fresh);
}

template <class T>
void moments_of_planes(const Job& job, Block block, Share share, Sums& sums) {
    using V = Vector<T>;
    constexpr int N = LANES<T>;
    Partial<T, false> partial(sums.partial, block.width());
    Scalar<T>* const origin = static_cast<Scalar<T>*>(sums.origin);
    Index fresh = 0, unknown = sums.count == 0 ? block.width() : 0;  // origins
    planes(job.shape, block, share, [&](Index offset, Index, Index length, Index channel) INLINED {
        const T* x = data<T>(job.input, offset);
        if (unknown > 0) {
            origin[channel] = static_cast<Scalar<T>>(
                length < N ? sum(load(x, Part{static_cast<int>(length)})) / length : sum(load(x, Whole{})) / N);
            --unknown;
        }
        const Same<Scalar<T>> about(origin + channel);
        V one[4] = {}, two[4] = {};
        walk<N>(length, 0, [&](std::size_t i, int accumulator, auto part) INLINED {
            const V centred = load(x + i, part) - about.at(i, part);
            one[accumulator] += centred;
            two[accumulator] = fma(centred, centred, two[accumulator]);
        });
        partial.add(channel * N, one[0] + one[1] + (one[2] + one[3]), two[0] + two[1] + (two[2] + two[3]), Whole{});
        if (channel + 1 < block.width()) return;
        fresh += length;
        if (fresh >= AT_ONCE) join(sums, partial, fresh), fresh = 0;
    });
    join(sums, partial, fresh);
}

template <class T, int Slope_>
void products_of_rows(const Job& job, Block block, Share share, Sums& sums, const Constants<Scalar<T>>& constants) {
    const Index stride = job.shape.row(), width = elements(job, block), mask_stride = bit_of(job.shape, 1, 0, 0);
    Partial<T, true> partial(sums.partial, width);
    Index fresh = 0;
    rows(job.shape, block, share, [&](Index offset, Index bit, auto many) INLINED {
        walk<LANES<T>>(width, 0, [&](std::size_t i, int, auto part) INLINED {
            const Vector<T> mean = load(constants.mean + i, part);
            Vector<T> scale = {}, shift = {}, one = {}, two = {};
            if constexpr (Slope_ == 1) scale = load(constants.scale + i, part), shift = load(constants.shift + i, part);
#pragma GCC unroll 4
            for (int row = 0; row < many.value; ++row) {
                const Index at = offset + i + row * stride;
                const Vector<T> centred = load(data<T>(job.input, at), part) - mean;
                const Vector<T> dz = slope<Slope_, T>(load(data<T>(job.grad_output, at), part), centred, scale, shift, job.mask,
                                                      bit + row * mask_stride + i);
                one += dz;
                two = fma(dz, centred, two);
            }
            partial.add(i, one, two, part);
        });
        fresh += many.value;
        if (fresh >= TILE * TILES) add(sums, partial), fresh = 0;
    });
    add(sums, partial);
}

template <class T, int Slope_>
void products_of_planes(const Job& job, Block block, Share share, Sums& sums, const Constants<Scalar<T>>& constants) {
    using V = Vector<T>;
    constexpr int N = LANES<T>;
    Partial<T, false> partial(sums.partial, block.width());
    Index fresh = 0;
    planes(job.shape, block, share, [&](Index offset, Index bit, Index length, Index channel) INLINED {
        const T *x = data<T>(job.input, offset), *dy = data<T>(job.grad_output, offset);
        const auto known = affine<Same>(constants, channel);
        V one[4] = {}, two[4] = {};
        walk<N>(length, 0, [&](std::size_t i, int accumulator, auto part) INLINED {
            const V centred = load(x + i, part) - known.mean.at(i, part);
            const V dz = slope<Slope_, T>(load(dy + i, part), centred, known.scale.at(i, part), known.shift.at(i, part), job.mask,
                                          bit + i);
            one[accumulator] += dz;
            two[accumulator] = fma(dz, centred, two[accumulator]);
        });
        partial.add(channel * N, one[0] + one[1] + (one[2] + one[3]), two[0] + two[1] + (two[2] + two[3]), Whole{});
        if (channel + 1 < block.width()) return;
        fresh += length;
        if (fresh >= AT_ONCE) add(sums, partial), fresh = 0;
    });
    add(sums, partial);
}

// f(vector of doubles) over a channel's elements of a row, and the sum of what it gives.
template <class F>
INLINE double summed(const double* from, Index n, F f) {
    Doubles total[4] = {};
    walk<LANES<double>>(n, 0, [&](std::size_t i, int accumulator, auto part) INLINED {
        total[accumulator] += f(load(from + i, part), part);
    });
    return sum(total[0] + total[1] + (total[2] + total[3]));
}

// A channel's elements of a row have as many values each.
void fold_moments(const Job& job, Block block, Sums& sums) {
    const Index pixels = job.shape.pixels;
    if (!job.shape.rows || pixels == 1) return;
    const double each = sums.count;
    for (Index channel = 0; channel < block.width(); ++channel) {
        const double* const means = sums.first + channel * pixels;
        const double mean = summed(means, pixels, [](Doubles v, auto) INLINED { return v; }) / pixels;
        const Same<double> about(&mean);
        const double apart = summed(means, pixels, [&](Doubles v, auto part) INLINED {
            const Doubles from = v - about.at(0, part);
            return from * from;
        });
        const double spread = summed(sums.second + channel * pixels, pixels, [](Doubles v, auto) INLINED { return v; });
        sums.first[channel] = mean;
        sums.second[channel] = spread + each * apart;
    }
    sums.count *= pixels;
}

void fold_products(const Job& job, Block block, Sums& sums) {
    const Index pixels = job.shape.pixels;
    if (!job.shape.rows || pixels == 1) return;
    double* const both[] = {sums.first, sums.second};
    for (double* of : both)
        for (Index channel = 0; channel < block.width(); ++channel)
            of[channel] = summed(of + channel * pixels, pixels, [](Doubles v, auto) INLINED { return v; });
}

// What a thread is asked for -------------------------------------------------------------------------------------------

template <class T>
void moments(const Job& job, Block block, Share share, Sums& sums) {
    if (job.shape.rows) moments_of_rows<T>(job, block, share, sums);
    else moments_of_planes<T>(job, block, share, sums);
}

template <class T>
void products(const Job& job, Block block, Share share, Sums& sums, const void* given) {
    const auto& constants = *static_cast<const Constants<Scalar<T>>*>(given);
    with(job.slope, [&](auto slope) {
        if (job.shape.rows) products_of_rows<T, slope.value>(job, block, share, sums, constants);
        else products_of_planes<T, slope.value>(job, block, share, sums, constants);
    });
}

template <class S>
void spread(const Job& job, Block block, const void* given) {
    const Index pixels = job.shape.pixels;
    if (!job.shape.rows || pixels == 1) return;
    const auto& constants = *static_cast<const Constants<S>*>(given);
    S* const all[] = {constants.mean, constants.scale, constants.shift, constants.a, constants.b, constants.c};
    for (S* values : all)
        for (Index channel = block.width() - 1; channel >= 0; --channel) {  // from behind, where nothing is still needed
            const Vector<S> value = Vector<S>{} + values[channel];
            walk<LANES<S>>(pixels, 0, [&](std::size_t i, int, auto part) INLINED {
                store(values + channel * pixels + i, value, part);
            });
        }
}

// f(offset, bit, length, channel, rows at a time) for all of a share. Streaming needs rows that are aligned alike.
template <class T, bool Rows, bool Streaming, class F>
INLINE void everywhere(const Job& job, Block block, Share share, F f) {
    if constexpr (Rows) {
        const bool alike = !Streaming || job.shape.row() * sizeof(T) % BYTES == 0;
        rows(job.shape, block, share, [&](Index offset, Index bit, auto many) INLINED {
            if (alike) return f(offset, bit, elements(job, block), Index{0}, many);
            for (int row = 0; row < many.value; ++row)
                f(offset + row * job.shape.row(), bit + row * bit_of(job.shape, 1, 0, 0), elements(job, block), Index{0},
                  Constant<1>{});
        });
    } else {
        planes(job.shape, block, share, [&](Index offset, Index bit, Index length, Index channel) INLINED {
            f(offset, bit, length, channel, Constant<1>{});
        });
    }
    if constexpr (Streaming) settle();
}

template <class T, bool Rows, bool Residual, bool Relu, bool Masked, bool Streaming>
void normalize_share(const Job& job, Block block, Share share, const Constants<Scalar<T>>& constants) {
    everywhere<T, Rows, Streaming>(
        job, block, share, [&](Index offset, Index bit, Index length, Index channel, auto many) INLINED {
            normalize<many.value, Residual, Relu, Masked, Streaming>(
                data<T>(job.input, offset), data<T>(job.residual, offset), data<T>(job.output, offset), job.mask, bit, length,
                job.shape.row(), bit_of(job.shape, 1, 0, 0), affine<Layout<Rows>::template K>(constants, channel));
        });
}

template <class T>
void normalize_any(const Job& job, Block block, Share share, const void* given) {
    const auto& constants = *static_cast<const Constants<Scalar<T>>*>(given);
    with(job.shape.rows, [&](auto rows) {
        with(job.streaming, [&](auto streaming) {
            with(job.residual != nullptr, [&](auto residual) {
                constexpr bool Rows = rows.value, Residual = residual.value, Streaming = streaming.value;
                if (!job.relu) normalize_share<T, Rows, Residual, false, false, Streaming>(job, block, share, constants);
                else if (job.mask == nullptr) normalize_share<T, Rows, Residual, true, false, Streaming>(job, block, share, constants);
                else normalize_share<T, Rows, Residual, true, true, Streaming>(job, block, share, constants);
            });
        });
    });
}

template <class T, bool Rows, int Slope_, bool Frozen, bool Residual, bool Streaming>
void gradient_share(const Job& job, Block block, Share share, const Constants<Scalar<T>>& constants) {
    using K = typename Layout<Rows>::template K<Scalar<T>>;
    everywhere<T, Rows, Streaming>(
        job, block, share, [&](Index offset, Index bit, Index length, Index channel, auto many) INLINED {
            gradient<many.value, Slope_, Frozen, Residual, Streaming>(
                data<T>(job.grad_output, offset), data<T>(job.input, offset), data<T>(job.grad_input, offset),
                data<T>(job.grad_residual, offset), job.mask, bit, length, job.shape.row(), bit_of(job.shape, 1, 0, 0),
                affine<Layout<Rows>::template K>(constants, channel), K(constants.a + channel), K(constants.b + channel),
                K(constants.c + channel));
        });
}

template <class T>
void gradient_any(const Job& job, Block block, Share share, const void* given) {
    const auto& constants = *static_cast<const Constants<Scalar<T>>*>(given);
    with(job.shape.rows, [&](auto rows) {
        with(job.slope, [&](auto slope) {
            with(job.streaming, [&](auto streaming) {
                with(job.grad_residual != nullptr, [&](auto residual) {
                    constexpr bool Rows = rows.value, Residual = residual.value, Streaming = streaming.value;
                    constexpr int Kept = slope.value;
                    if (job.frozen) gradient_share<T, Rows, Kept, true, Residual, Streaming>(job, block, share, constants);
                    else gradient_share<T, Rows, Kept, false, Residual, Streaming>(job, block, share, constants);
                });
            });
        });
    });
}

template <class T>
constexpr Passes made = {clear<T>,      moments<T>,        fold_moments,     products<T>,    fold_products,
                         spread<Scalar<T>>, normalize_any<T>, gradient_any<T>, BYTES};

}  // namespace

Passes BNBENCH_NAME(passes)(int dtype) {
    switch (dtype) {
        case FLOAT64: return made<double>;
        case BFLOAT16: return made<bfloat16>;
        case FLOAT16: return made<float16>;
        default: return made<float>;
    }
}
