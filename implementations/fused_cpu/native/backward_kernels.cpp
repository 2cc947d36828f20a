// The kernels of a backward: Σdz and Σdz·(x - mean), then dinput = a·dz + b·(x - mean) + c, or a·dz
// for frozen statistics, and dresidual = dz. dz is the output's gradient where ReLU let the forward
// through, else 0.
#include <isa.hpp>

#include "accumulators.hpp"
#include "outputs.hpp"

namespace {

// Products ---------------------------------------------------------------------------------------

template <class T, bool RowWise>
void flush(Accumulators& accumulators, PartialSums<T, RowWise> partial) {
    for (Index index = 0; index < partial.width; ++index) {
        accumulators.first[index] += partial.total(partial.first, index);
        accumulators.second[index] += partial.total(partial.second, index);
    }
    accumulators.pending = 0;
    partial.clear();
}

// dz. A recomputed mask equals the forward's to the bit, since the operations are the same.
template <ReluMask M, class T>
INLINE Vector<T> masked_gradient(Vector<T> grad, Vector<T> centered, Vector<T> scale,
                                 Vector<T> shift, const std::uint8_t* mask, std::int64_t bit) {
    if constexpr (M == ReluMask::recomputed)
        return blend(greater_or_nan(fma(centered, scale, shift), LARGEST_STORED_AS_ZERO<T>), grad,
                     Vector<T>{});
    if constexpr (M == ReluMask::stored)
        return blend(mask_from_bits<Vector<T>>(bits_at(mask, bit)), grad, Vector<T>{});
    return grad;
}

template <class T, ReluMask M>
void products_of_rows(const KernelArgs& args, ReductionBlock summed, Partition partition) {
    const auto& coefficients = *static_cast<const Coefficients<Scalar<T>>*>(summed.coefficients);
    const Index stride = args.shape.row_size(), width = elements(args, summed.block);
    const Index mask_stride = mask_bit(args.shape, 1, 0, 0);
    PartialSums<T, true> partial(*summed.accumulators, width);
    for_each_row_tile(
        args.shape, summed.block, partition, partition.single_rows,
        [&](Index offset, Index bit, auto rows) ALWAYS_INLINE {
            for_each_vector<LANES<T>>(width, 0, [&](std::size_t i, auto lanes) ALWAYS_INLINE {
                const Vector<T> mean = load(coefficients.mean + i, lanes);
                Vector<T> scale = {}, shift = {}, one = {}, two = {};
                if constexpr (M == ReluMask::recomputed)
                    scale = load(coefficients.scale + i, lanes),
                    shift = load(coefficients.shift + i, lanes);
#pragma GCC unroll 4
                for (int row = 0; row < rows.value; ++row) {
                    const Index at = offset + i + row * stride;
                    const Vector<T> centered = load(data<T>(args.input, at), lanes) - mean;
                    const Vector<T> dz =
                        masked_gradient<M, T>(load(data<T>(args.grad_output, at), lanes), centered,
                                              scale, shift, args.mask, bit + row * mask_stride + i);
                    one += dz;
                    two = fma(dz, centered, two);
                }
                partial.add(i, one, two, lanes);
            });
            summed.accumulators->pending += rows.value;
            if (summed.accumulators->pending >= FLUSH_ROWS) flush(*summed.accumulators, partial);
        });
}

// The reduction of planes to products.
template <class T, ReluMask M>
struct Products {
    const KernelArgs& args;
    Accumulators& accumulators;
    const Coefficients<Scalar<T>>& all_coefficients;
    PartialSums<T, false> partial;
    Strip strip;
    const T *x, *dy;
    Index bit;
    AffineCoefficients<Broadcast, Scalar<T>> coefficients;
    PlaneSums<T> sums;

    Products(const KernelArgs& args, const ReductionBlock& summed)
        : args(args),
          accumulators(*summed.accumulators),
          all_coefficients(*static_cast<const Coefficients<Scalar<T>>*>(summed.coefficients)),
          partial(accumulators, summed.block.width()) {}
    ALWAYS_INLINE void begin_strip(const Strip& summed) { strip = summed; }
    ALWAYS_INLINE void begin(Index channel, Index offset) {
        x = data<T>(args.input, strip.offset + offset);
        dy = data<T>(args.grad_output, strip.offset + offset);
        bit = strip.bit + offset;
        coefficients = {all_coefficients, channel};
        sums.clear();
    }
    template <class L>
    ALWAYS_INLINE void add(Index i, int accumulator, L lanes) {
        const Vector<T> centered = load(x + i, lanes) - coefficients.mean.at(i, lanes);
        const Vector<T> dz =
            masked_gradient<M, T>(load(dy + i, lanes), centered, coefficients.scale.at(i, lanes),
                                  coefficients.shift.at(i, lanes), args.mask, bit + i);
        sums.one[accumulator] += dz;
        sums.two[accumulator] = fma(dz, centered, sums.two[accumulator]);
    }
    ALWAYS_INLINE void end(Index channel) { sums.add_to(partial, channel); }
    ALWAYS_INLINE void end_item(Index pixels) {
        accumulators.pending += pixels;
        if (accumulators.pending >= FLUSH_PLANE_VALUES) flush(accumulators, partial);
    }
};

template <class T>
void reduce(const KernelArgs& args, ChannelBlock block, Accumulators& accumulators) {
    with_partial_sums<T>(args, block, accumulators,
                         [&](auto partial) { flush(accumulators, partial); });
    const Index pixels = args.shape.pixels;
    if (!args.shape.row_wise || pixels == 1) return;
    double* const both[] = {accumulators.first, accumulators.second};
    for (double* of : both)
        for (Index channel = 0; channel < block.width(); ++channel)
            of[channel] = sum_over(of + channel * pixels, pixels);
}

// Gradients --------------------------------------------------------------------------------------

template <ReluMask Mask_, bool Residual_, bool Frozen_, bool Streaming_>
struct Variant {
    static constexpr ReluMask Mask = Mask_;
    static constexpr bool Residual = Residual_, Frozen = Frozen_, Streaming = Streaming_;
};

template <template <class> class K, class S>
struct GradientCoefficients {
    AffineCoefficients<K, S> affine;
    K<S> a, b, c;
    GradientCoefficients() = default;
    GradientCoefficients(const Coefficients<S>& coefficients, Index channel)
        : affine(coefficients, channel),
          a(coefficients.a + channel),
          b(coefficients.b + channel),
          c(coefficients.c + channel) {}
    ALWAYS_INLINE void blend_tail(int count, const GradientCoefficients& next) {
        affine.blend_tail(count, next.affine);
        a.blend_tail(count, next.a);
        b.blend_tail(count, next.b);
        c.blend_tail(count, next.c);
    }
};

// The element writer of gradients, for `Rows` rows at a time, so that coefficients are loaded once
// for all of them. To stream, it needs both gradients aligned alike.
template <class T, class V, int Rows>
struct Differentiate {
    using PlaneCoefficients = GradientCoefficients<Broadcast, Scalar<T>>;
    const KernelArgs& args;
    const Coefficients<Scalar<T>>& all_coefficients;
    const T *x, *dy;
    T *dx, *dresidual;
    Index bit, stride, mask_stride;

    ALWAYS_INLINE Differentiate(const KernelArgs& args, const Coefficients<Scalar<T>>& coefficients,
                                Index offset, Index bit)
        : args(args),
          all_coefficients(coefficients),
          x(data<T>(args.input, offset)),
          dy(data<T>(args.grad_output, offset)),
          dx(data<T>(args.grad_input, offset)),
          dresidual(data<T>(args.grad_residual, offset)),
          bit(bit),
          stride(args.shape.row_size()),
          mask_stride(mask_bit(args.shape, 1, 0, 0)) {}
    ALWAYS_INLINE const T* target() const { return dx; }
    ALWAYS_INLINE PlaneCoefficients coefficients(Index channel) const {
        return {all_coefficients, channel};
    }
    template <class L, class C>
    ALWAYS_INLINE void write(std::size_t i, L lanes, const C& coefficients) {
        constexpr bool reads_input = !V::Frozen || V::Mask == ReluMask::recomputed;
        Vector<T> mean = {}, scale = {}, shift = {}, b = {}, c = {};
        const Vector<T> a = coefficients.a.at(i, lanes);
        if constexpr (reads_input) mean = coefficients.affine.mean.at(i, lanes);
        if constexpr (V::Mask == ReluMask::recomputed)
            scale = coefficients.affine.scale.at(i, lanes),
            shift = coefficients.affine.shift.at(i, lanes);
        if constexpr (!V::Frozen) b = coefficients.b.at(i, lanes), c = coefficients.c.at(i, lanes);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> centered = {};
            if constexpr (reads_input) centered = load(x + at, lanes) - mean;
            const Vector<T> dz =
                masked_gradient<V::Mask, T>(load(dy + at, lanes), centered, scale, shift, args.mask,
                                            bit + row * mask_stride + i);
            store_output<V::Streaming>(dx + at,
                                       V::Frozen ? a * dz : fma(a, dz, fma(b, centered, c)), lanes);
            if constexpr (V::Residual) store_output<V::Streaming>(dresidual + at, dz, lanes);
        }
    }
    ALWAYS_INLINE void finish() {}
};

// A residual's gradient is an array of its own only behind a ReLU, whose mask is then stored; else
// it is the output's gradient.
template <class T>
void pass(const KernelArgs& args, OutputBlock written, ReductionBlock summed, Partition partition) {
    if (partition.begin >= partition.end) return;
    with_constant(args.streaming, [&](auto streaming) {
        with_constant(args.frozen, [&](auto frozen) {
            constexpr bool F = frozen.value, S = streaming.value;
            const auto run = [&](auto variant) {
                constexpr ReluMask M = decltype(variant)::Mask;
                pass_variant<T, Differentiate, GradientCoefficients, Products<T, M>>(
                    variant, args, written, summed, partition, products_of_rows<T, M>);
            };
            if (args.relu_mask == ReluMask::none) run(Variant<ReluMask::none, false, F, S>{});
            else if (args.relu_mask == ReluMask::recomputed)
                run(Variant<ReluMask::recomputed, false, F, S>{});
            else if (args.grad_residual == nullptr) run(Variant<ReluMask::stored, false, F, S>{});
            else run(Variant<ReluMask::stored, true, F, S>{});
        });
    });
}

template <class T>
struct BackwardKernels {
    static constexpr Kernels kernels = {clear<T>, pass<T>, reduce<T>, expand<Scalar<T>>,
                                        VECTOR_BYTES};
};

}  // namespace

Kernels BNBENCH_NAME(backward_kernels)(int dtype) { return kernels_for<BackwardKernels>(dtype); }
