// The kernels of a forward: moments, then output = relu((x - mean)·scale + shift + residual).
//
// Moments are taken about the mean so far and merged by the formula of Chan, Golub and LeVeque
// (1979, "Updating formulae and a pairwise algorithm for computing sample variances"), so that a
// large mean costs no digits.
#include <isa.hpp>

#include "accumulators.hpp"
#include "outputs.hpp"

namespace {

// Moments ----------------------------------------------------------------------------------------

// Merges the sums about the origin into the moments, whose mean becomes the next origin. m2 is
// Σ(x - mean)².
template <class T, bool RowWise>
void flush(Accumulators& accumulators, PartialSums<T, RowWise> partial) {
    if (accumulators.pending == 0) return;
    Scalar<T>* __restrict const origin = static_cast<Scalar<T>*>(accumulators.origin);
    double* __restrict const mean = accumulators.first, * __restrict const m2 = accumulators.second;
    const double n = accumulators.pending, inverse_n = 1 / n;
    const double fraction = n / (accumulators.count + n);
    const double weight = accumulators.count * fraction;
    for (Index index = 0; index < partial.width; ++index) {
        const double one = partial.total(partial.first, index);
        const double two = partial.total(partial.second, index);
        const double new_m2 = two - one * one * inverse_n;
        const double delta = origin[index] + one * inverse_n - mean[index];
        mean[index] += fraction * delta;
        m2[index] += (new_m2 < 0 ? 0 : new_m2) + delta * delta * weight;
        origin[index] = static_cast<Scalar<T>>(mean[index]);
    }
    accumulators.count += accumulators.pending;
    accumulators.pending = 0;
    partial.clear();
}

// The first origin of a row's elements: the mean of up to eight rows.
template <class T>
void guess_origin(const KernelArgs& args, ChannelBlock block, Partition partition,
                  Accumulators& accumulators) {
    const Index stride = args.shape.row_size();
    const Index rows = partition.end - partition.begin < 8 ? partition.end - partition.begin : 8;
    for_each_vector<LANES<T>>(
        elements(args, block), 0, [&](std::size_t i, auto lanes) ALWAYS_INLINE {
            const T* x =
                data<T>(args.input, partition.begin * stride + block.begin * args.shape.pixels + i);
            Vector<T> total = {};
            for (Index row = 0; row < rows; ++row) total += load(x + row * stride, lanes);
            store(static_cast<Scalar<T>*>(accumulators.origin) + i,
                  total / static_cast<Scalar<T>>(rows), lanes);
        });
}

template <class T>
void moments_of_rows(const KernelArgs& args, ReductionBlock summed, Partition partition) {
    const Index stride = args.shape.row_size(), width = elements(args, summed.block);
    Accumulators& accumulators = *summed.accumulators;
    PartialSums<T, true> partial(accumulators, width);
    if (accumulators.count + accumulators.pending == 0)
        guess_origin<T>(args, summed.block, partition, accumulators);
    for_each_row_tile(
        args.shape, summed.block, partition, partition.single_rows,
        [&](Index offset, Index, auto rows) ALWAYS_INLINE {
            for_each_vector<LANES<T>>(width, 0, [&](std::size_t i, auto lanes) ALWAYS_INLINE {
                const Vector<T> origin =
                    load(static_cast<Scalar<T>*>(accumulators.origin) + i, lanes);
                Vector<T> one = {}, two = {};
#pragma GCC unroll 4
                for (int row = 0; row < rows.value; ++row) {
                    const Vector<T> centered =
                        load(data<T>(args.input, offset + i + row * stride), lanes) - origin;
                    one += centered;
                    two = fma(centered, centered, two);
                }
                partial.add(i, one, two, lanes);
            });
            accumulators.pending += rows.value;
            if (flush_due(accumulators, FIRST_FLUSH_ROWS, FLUSH_ROWS)) flush(accumulators, partial);
        });
}

// The reduction of planes to moments.
template <class T>
struct Moments {
    const KernelArgs& args;
    Accumulators& accumulators;
    PartialSums<T, false> partial;
    const T *strip, *x;
    Index pixels;
    bool needs_origins;
    Broadcast<Scalar<T>> origin;
    PlaneSums<T> sums;

    Moments(const KernelArgs& args, const ReductionBlock& summed)
        : args(args),
          accumulators(*summed.accumulators),
          partial(accumulators, summed.block.width()),
          needs_origins(accumulators.count + accumulators.pending == 0) {}
    ALWAYS_INLINE void begin_strip(const Strip& summed) {
        strip = data<T>(args.input, summed.offset), pixels = summed.pixels;
    }
    ALWAYS_INLINE void begin(Index channel, Index offset) {
        Scalar<T>* const stored = static_cast<Scalar<T>*>(accumulators.origin) + channel;
        x = strip + offset;
        if (needs_origins) *stored = static_cast<Scalar<T>>(guess_mean());
        origin = Broadcast<Scalar<T>>(stored);
        sums.clear();
    }
    ALWAYS_INLINE double guess_mean() const {
        constexpr int N = LANES<T>;
        if (pixels < N) return sum(load(x, FirstLanes{static_cast<int>(pixels)})) / pixels;
        Vector<T> total = {};
        Index vectors = 0;
        for (Index at = 0; at + N <= pixels; at += GUESS_STRIDE * N, ++vectors)
            total += load(x + at, AllLanes{});
        return sum(total) / (vectors * N);
    }
    template <class L>
    ALWAYS_INLINE void add(Index i, int accumulator, L lanes) {
        const Vector<T> centered = load(x + i, lanes) - origin.at(i, lanes);
        sums.one[accumulator] += centered;
        sums.two[accumulator] = fma(centered, centered, sums.two[accumulator]);
    }
    ALWAYS_INLINE void end(Index channel) { sums.add_to(partial, channel); }
    ALWAYS_INLINE void end_item(Index pixels) {
        needs_origins = false;
        accumulators.pending += pixels;
        if (flush_due(accumulators, FIRST_FLUSH_PLANE_VALUES, FLUSH_PLANE_VALUES))
            flush(accumulators, partial);
    }
};

// Row-wise, the moments of a channel's elements are merged; each element has as many values.
template <class T>
void reduce(const KernelArgs& args, ChannelBlock block, Accumulators& accumulators) {
    with_partial_sums<T>(args, block, accumulators,
                         [&](auto partial) { flush(accumulators, partial); });
    const Index pixels = args.shape.pixels;
    if (!args.shape.row_wise || pixels == 1) return;
    const double values_each = accumulators.count;
    for (Index channel = 0; channel < block.width(); ++channel) {
        const double* const means = accumulators.first + channel * pixels;
        const double mean = sum_over(means, pixels) / pixels;
        const Broadcast<double> channel_mean(&mean);
        const double between = sum_over(means, pixels, [&](Doubles v, auto lanes) ALWAYS_INLINE {
            const Doubles delta = v - channel_mean.at(0, lanes);
            return delta * delta;
        });
        const double within = sum_over(accumulators.second + channel * pixels, pixels);
        accumulators.first[channel] = mean;
        accumulators.second[channel] = within + values_each * between;
    }
    accumulators.count *= pixels;
}

// Outputs ----------------------------------------------------------------------------------------

template <bool Residual_, bool Relu_, bool Masked_, bool Streaming_>
struct Variant {
    static constexpr bool Residual = Residual_, Relu = Relu_, Masked = Masked_;
    static constexpr bool Streaming = Streaming_;
};

// The element writer of outputs, for `Rows` rows at a time, so that coefficients are loaded once
// for all of them.
template <class T, class V, int Rows>
struct Normalize {
    using PlaneCoefficients = AffineCoefficients<Broadcast, Scalar<T>>;
    const Coefficients<Scalar<T>>& all_coefficients;
    const T *x, *residual;
    T* y;
    Index stride;
    BitWriter bits[Rows];

    ALWAYS_INLINE Normalize(const KernelArgs& args, const Coefficients<Scalar<T>>& coefficients,
                            Index offset, Index bit)
        : all_coefficients(coefficients),
          x(data<T>(args.input, offset)),
          residual(data<T>(args.residual, offset)),
          y(data<T>(args.output, offset)),
          stride(args.shape.row_size()) {
        if constexpr (V::Masked)
            for (int row = 0; row < Rows; ++row)
                bits[row].begin(args.mask, bit + row * mask_bit(args.shape, 1, 0, 0));
    }
    ALWAYS_INLINE const T* target() const { return y; }
    ALWAYS_INLINE PlaneCoefficients coefficients(Index channel) const {
        return {all_coefficients, channel};
    }
    template <class L, class C>
    ALWAYS_INLINE void write(std::size_t i, L lanes, const C& coefficients) {
        const Vector<T> mean = coefficients.mean.at(i, lanes);
        const Vector<T> scale = coefficients.scale.at(i, lanes);
        const Vector<T> shift = coefficients.shift.at(i, lanes);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> z = fma(load(x + at, lanes) - mean, scale, shift);
            if constexpr (V::Residual) z += load(residual + at, lanes);
            if constexpr (V::Relu) {
                const auto keep = greater_or_nan(z, LARGEST_STORED_AS_ZERO<T>);
                if constexpr (V::Masked)
                    bits[row].append(mask_to_bits(keep), lane_count<LANES<T>>(lanes));
                z = blend(keep, z, Vector<T>{});
            }
            store_output<V::Streaming>(y + at, z, lanes);
        }
    }
    ALWAYS_INLINE void finish() {
        if constexpr (V::Masked)
            for (BitWriter& each : bits) each.finish();
    }
};

template <class T>
void pass(const KernelArgs& args, OutputBlock written, ReductionBlock summed, Partition partition) {
    if (partition.begin >= partition.end) return;
    with_constant(args.streaming, [&](auto streaming) {
        with_constant(args.residual != nullptr, [&](auto residual) {
            constexpr bool R = residual.value, S = streaming.value;
            const auto run = [&](auto variant) {
                pass_variant<T, Normalize, AffineCoefficients, Moments<T>>(
                    variant, args, written, summed, partition, moments_of_rows<T>);
            };
            if (!args.relu) run(Variant<R, false, false, S>{});
            else if (args.mask == nullptr) run(Variant<R, true, false, S>{});
            else run(Variant<R, true, true, S>{});
        });
    });
}

template <class T>
struct ForwardKernels {
    static constexpr Kernels kernels = {clear<T>, pass<T>, reduce<T>, expand<Scalar<T>>,
                                        VECTOR_BYTES};
};

}  // namespace

Kernels BNBENCH_NAME(forward_kernels)(int dtype) { return kernels_for<ForwardKernels>(dtype); }
