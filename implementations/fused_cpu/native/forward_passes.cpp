// The passes of a forward: moments, then output = relu((x - mean)·scale + shift + residual).
//
// Moments are taken about the mean so far, and joined by Chan, Golub and LeVeque's formula (1979, "Updating formulae and a
// pairwise algorithm for computing sample variances"), so that a large mean costs no digits.
#include <isa.hpp>

#include "outputs.hpp"
#include "sums.hpp"

namespace {

// Moments --------------------------------------------------------------------------------------------------------------

// What was summed about the origin joins the moments, whose mean is the next origin.
template <class T, bool Rows>
void join(Sums& sums, Partial<T, Rows> partial) {
    if (sums.waiting == 0) return;
    Scalar<T>* __restrict const origin = static_cast<Scalar<T>*>(sums.origin);
    double *__restrict const mean = sums.first, *__restrict const spread = sums.second;
    const double n = sums.waiting, each = 1 / n, share = n / (sums.count + n), both = sums.count * share;
    for (Index index = 0; index < partial.width; ++index) {
        const double one = partial.total(partial.first, index), two = partial.total(partial.second, index);
        const double within = two - one * one * each, apart = origin[index] + one * each - mean[index];
        mean[index] += share * apart;
        spread[index] += (within < 0 ? 0 : within) + apart * apart * both;
        origin[index] = static_cast<Scalar<T>>(mean[index]);
    }
    sums.count += sums.waiting;
    sums.waiting = 0;
    partial.clear();
}

// The first origin of a row's elements: the mean of its first rows.
template <class T>
void guess(const Job& job, Block block, Share share, Sums& sums) {
    const Index stride = job.shape.row(), rows = share.end - share.begin < 8 ? share.end - share.begin : 8;
    walk<LANES<T>>(elements(job, block), 0, [&](std::size_t i, auto part) INLINED {
        const T* x = data<T>(job.input, share.begin * stride + block.begin * job.shape.pixels + i);
        Vector<T> total = {};
        for (Index row = 0; row < rows; ++row) total += load(x + row * stride, part);
        store(static_cast<Scalar<T>*>(sums.origin) + i, total / static_cast<Scalar<T>>(rows), part);
    });
}

template <class T>
void moments_of_rows(const Job& job, Summing summing, Share share) {
    const Index stride = job.shape.row(), width = elements(job, summing.block);
    Sums& sums = *summing.sums;
    Partial<T, true> partial(sums, width);
    if (sums.count + sums.waiting == 0) guess<T>(job, summing.block, share, sums);
    rows(job.shape, summing.block, share, share.apart, [&](Index offset, Index, auto many) INLINED {
        walk<LANES<T>>(width, 0, [&](std::size_t i, auto part) INLINED {
            const Vector<T> about = load(static_cast<Scalar<T>*>(sums.origin) + i, part);
            Vector<T> one = {}, two = {};
#pragma GCC unroll 4
            for (int row = 0; row < many.value; ++row) {
                const Vector<T> centred = load(data<T>(job.input, offset + i + row * stride), part) - about;
                one += centred;
                two = fma(centred, centred, two);
            }
            partial.add(i, one, two, part);
        });
        sums.waiting += many.value;
        if (due(sums, FIRST_ROWS, ROWS)) join(sums, partial);
    });
}

// The moments of planes.
template <class T>
struct Moments {
    const Job& job;
    Sums& sums;
    Partial<T, false> partial;
    const T *strip, *x;
    Index pixels;
    bool unknown;  // origins: the mean of some vectors is one
    Same<Scalar<T>> about;
    Pair<T> pair;

    Moments(const Job& job, const Summing& summing)
        : job(job), sums(*summing.sums), partial(sums, summing.block.width()), unknown(sums.count + sums.waiting == 0) {}
    INLINED void place(const Strip& summed) { strip = data<T>(job.input, summed.offset), pixels = summed.pixels; }
    INLINED void begin(Index channel, Index offset) {
        Scalar<T>* const origin = static_cast<Scalar<T>*>(sums.origin) + channel;
        x = strip + offset;
        if (unknown) *origin = static_cast<Scalar<T>>(first_mean());
        about = Same<Scalar<T>>(origin);
        pair.clear();
    }
    INLINED double first_mean() const {
        constexpr int N = LANES<T>;
        if (pixels < N) return sum(load(x, Part{static_cast<int>(pixels)})) / pixels;
        Vector<T> total = {};
        Index vectors = 0;
        for (Index at = 0; at + N <= pixels; at += LOOKED_AT * N, ++vectors) total += load(x + at, Whole{});
        return sum(total) / (vectors * N);
    }
    template <class P>
    INLINED void add(Index i, int accumulator, P part) {
        const Vector<T> centred = load(x + i, part) - about.at(i, part);
        pair.one[accumulator] += centred;
        pair.two[accumulator] = fma(centred, centred, pair.two[accumulator]);
    }
    INLINED void end(Index channel) { pair.add_to(partial, channel); }
    INLINED void item(Index pixels) {
        unknown = false;
        sums.waiting += pixels;
        if (due(sums, FIRST_AT_ONCE, AT_ONCE)) join(sums, partial);
    }
};

// A channel's elements of a row have as many values each.
template <class T>
void fold(const Job& job, Block block, Sums& sums) {
    with_partial<T>(job, block, sums, [&](auto partial) { join(sums, partial); });
    const Index pixels = job.shape.pixels;
    if (!job.shape.rows || pixels == 1) return;
    const double each = sums.count;
    for (Index channel = 0; channel < block.width(); ++channel) {
        const double* const means = sums.first + channel * pixels;
        const double mean = summed(means, pixels) / pixels;
        const Same<double> about(&mean);
        const double apart = summed(means, pixels, [&](Doubles v, auto part) INLINED {
            const Doubles from = v - about.at(0, part);
            return from * from;
        });
        const double within = summed(sums.second + channel * pixels, pixels);
        sums.first[channel] = mean;
        sums.second[channel] = within + each * apart;
    }
    sums.count *= pixels;
}

// Outputs --------------------------------------------------------------------------------------------------------------

template <bool Residual_, bool Relu_, bool Masked_, bool Streaming_>
struct Variant {
    static constexpr bool Residual = Residual_, Relu = Relu_, Masked = Masked_, Streaming = Streaming_;
};

// Of some rows, so that constants are loaded once for all of them.
template <class T, class V, int Rows>
struct Normalize {
    using Known = Affine<Same, Scalar<T>>;
    const Constants<Scalar<T>>& constants;
    const T *x, *residual;
    T* y;
    Index stride;
    BitWriter bits[Rows];

    INLINED Normalize(const Job& job, const Constants<Scalar<T>>& constants, Index offset, Index bit)
        : constants(constants), x(data<T>(job.input, offset)), residual(data<T>(job.residual, offset)),
          y(data<T>(job.output, offset)), stride(job.shape.row()) {
        if constexpr (V::Masked)
            for (int row = 0; row < Rows; ++row) bits[row].begin(job.mask, bit + row * bit_of(job.shape, 1, 0, 0));
    }
    INLINED const T* target() const { return y; }
    INLINED Known known(Index channel) const { return {constants, channel}; }
    template <class P, class K>
    INLINED void at(std::size_t i, P part, const K& known) {
        const Vector<T> mean = known.mean.at(i, part), scale = known.scale.at(i, part), shift = known.shift.at(i, part);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> z = fma(load(x + at, part) - mean, scale, shift);
            if constexpr (V::Residual) z += load(residual + at, part);
            if constexpr (V::Relu) {
                const auto keep = above(z, VANISHING<T>);
                if constexpr (V::Masked) bits[row].append(to_bits(keep), count<LANES<T>>(part));
                z = where(keep, z, Vector<T>{});
            }
            put<V::Streaming>(y + at, z, part);
        }
    }
    INLINED void finish() {
        if constexpr (V::Masked)
            for (BitWriter& each : bits) each.finish();
    }
};

template <class T>
void pass(const Job& job, Writing writing, Summing summing, Share share) {
    if (share.begin >= share.end) return;
    with(job.streaming, [&](auto streaming) {
        with(job.residual != nullptr, [&](auto residual) {
            constexpr bool R = residual.value, S = streaming.value;
            const auto as = [&](auto variant) {
                pass_as<T, Normalize, Affine, Moments<T>>(variant, job, writing, summing, share, moments_of_rows<T>);
            };
            if (!job.relu) as(Variant<R, false, false, S>{});
            else if (job.mask == nullptr) as(Variant<R, true, false, S>{});
            else as(Variant<R, true, true, S>{});
        });
    });
}

template <class T>
struct Made {
    static constexpr Passes passes = {clear<T>, pass<T>, fold<T>, spread<Scalar<T>>, BYTES};
};

}  // namespace

Passes BNBENCH_NAME(forward_passes)(int dtype) { return passes_of<Made>(dtype); }
