// The passes of a backward: Σdz and Σdz·(x - mean), then dinput = a·dz + b·(x - mean) + c, or a·dz for frozen statistics, and
// dresidual = dz. dz is the output's gradient where ReLU let the forward through.
#include <isa.hpp>

#include "outputs.hpp"
#include "sums.hpp"

namespace {

template <class T, bool Rows>
void add(Sums& sums, Partial<T, Rows> partial) {
    for (Index index = 0; index < partial.width; ++index) {
        sums.first[index] += partial.total(partial.first, index);
        sums.second[index] += partial.total(partial.second, index);
    }
    sums.waiting = 0;
    partial.clear();
}

// dz. A recomputed mask is the forward's to the bit, since the operations are the same.
template <Slope Kind, class T>
INLINE Vector<T> slope(Vector<T> grad, Vector<T> centred, Vector<T> scale, Vector<T> shift, const std::uint8_t* mask,
                       std::int64_t bit) {
    if constexpr (Kind == Slope::recomputed) return where(above(fma(centred, scale, shift), VANISHING<T>), grad, Vector<T>{});
    if constexpr (Kind == Slope::stored) return where(from_bits<Vector<T>>(bits_at(mask, bit)), grad, Vector<T>{});
    return grad;
}

template <class T, Slope Kind>
void products_of_rows(const Job& job, Summing summing, Share share) {
    const auto& known = *static_cast<const Constants<Scalar<T>>*>(summing.constants);
    const Index stride = job.shape.row(), width = elements(job, summing.block), mask_stride = bit_of(job.shape, 1, 0, 0);
    Partial<T, true> partial(*summing.sums, width);
    rows(job.shape, summing.block, share, share.apart, [&](Index offset, Index bit, auto many) INLINED {
        walk<LANES<T>>(width, 0, [&](std::size_t i, auto part) INLINED {
            const Vector<T> mean = load(known.mean + i, part);
            Vector<T> scale = {}, shift = {}, one = {}, two = {};
            if constexpr (Kind == Slope::recomputed) scale = load(known.scale + i, part), shift = load(known.shift + i, part);
#pragma GCC unroll 4
            for (int row = 0; row < many.value; ++row) {
                const Index at = offset + i + row * stride;
                const Vector<T> centred = load(data<T>(job.input, at), part) - mean;
                const Vector<T> dz = slope<Kind, T>(load(data<T>(job.grad_output, at), part), centred, scale, shift, job.mask,
                                                    bit + row * mask_stride + i);
                one += dz;
                two = fma(dz, centred, two);
            }
            partial.add(i, one, two, part);
        });
        summing.sums->waiting += many.value;
        if (summing.sums->waiting >= ROWS) add(*summing.sums, partial);
    });
}

// The products of planes.
template <class T, Slope Kind>
struct Products {
    const Job& job;
    Sums& sums;
    const Constants<Scalar<T>>& constants;
    Partial<T, false> partial;
    Strip strip;
    const T *x, *dy;
    Index bit;
    Affine<Same, Scalar<T>> known;
    Pair<T> pair;

    Products(const Job& job, const Summing& summing)
        : job(job), sums(*summing.sums), constants(*static_cast<const Constants<Scalar<T>>*>(summing.constants)),
          partial(sums, summing.block.width()) {}
    INLINED void place(const Strip& summed) { strip = summed; }
    INLINED void begin(Index channel, Index offset) {
        x = data<T>(job.input, strip.offset + offset), dy = data<T>(job.grad_output, strip.offset + offset);
        bit = strip.bit + offset;
        known = {constants, channel};
        pair.clear();
    }
    template <class P>
    INLINED void add(Index i, int accumulator, P part) {
        const Vector<T> centred = load(x + i, part) - known.mean.at(i, part);
        const Vector<T> dz = slope<Kind, T>(load(dy + i, part), centred, known.scale.at(i, part), known.shift.at(i, part),
                                            job.mask, bit + i);
        pair.one[accumulator] += dz;
        pair.two[accumulator] = fma(dz, centred, pair.two[accumulator]);
    }
    INLINED void end(Index channel) { pair.add_to(partial, channel); }
    INLINED void item(Index pixels) {
        sums.waiting += pixels;
        if (sums.waiting >= AT_ONCE) ::add(sums, partial);
    }
};

template <class T>
void fold(const Job& job, Block block, Sums& sums) {
    with_partial<T>(job, block, sums, [&](auto partial) { add(sums, partial); });
    const Index pixels = job.shape.pixels;
    if (!job.shape.rows || pixels == 1) return;
    double* const both[] = {sums.first, sums.second};
    for (double* of : both)
        for (Index channel = 0; channel < block.width(); ++channel) of[channel] = summed(of + channel * pixels, pixels);
}

// Gradients ------------------------------------------------------------------------------------------------------------

template <Slope Kind_, bool Residual_, bool Frozen_, bool Streaming_>
struct Variant {
    static constexpr Slope Kind = Kind_;
    static constexpr bool Residual = Residual_, Frozen = Frozen_, Streaming = Streaming_;
};

template <template <class> class K, class S>
struct Factors {
    Affine<K, S> affine;
    K<S> a, b, c;
    Factors() = default;
    Factors(const Constants<S>& constants, Index channel)
        : affine(constants, channel), a(constants.a + channel), b(constants.b + channel), c(constants.c + channel) {}
    INLINED void border(int count, const Factors& next) {
        affine.border(count, next.affine);
        a.border(count, next.a);
        b.border(count, next.b);
        c.border(count, next.c);
    }
};

// Of some rows, so that constants are loaded once for all of them. Streaming needs both gradients aligned alike.
template <class T, class V, int Rows>
struct Differentiate {
    using Known = Factors<Same, Scalar<T>>;
    const Job& job;
    const Constants<Scalar<T>>& constants;
    const T *x, *dy;
    T *dx, *dresidual;
    Index bit, stride, mask_stride;

    INLINED Differentiate(const Job& job, const Constants<Scalar<T>>& constants, Index offset, Index bit)
        : job(job), constants(constants), x(data<T>(job.input, offset)), dy(data<T>(job.grad_output, offset)),
          dx(data<T>(job.grad_input, offset)), dresidual(data<T>(job.grad_residual, offset)), bit(bit), stride(job.shape.row()),
          mask_stride(bit_of(job.shape, 1, 0, 0)) {}
    INLINED const T* target() const { return dx; }
    INLINED Known known(Index channel) const { return {constants, channel}; }
    template <class P, class K>
    INLINED void at(std::size_t i, P part, const K& known) {
        constexpr bool reads = !V::Frozen || V::Kind == Slope::recomputed;
        Vector<T> mean = {}, scale = {}, shift = {}, b = {}, c = {};
        const Vector<T> a = known.a.at(i, part);
        if constexpr (reads) mean = known.affine.mean.at(i, part);
        if constexpr (V::Kind == Slope::recomputed)
            scale = known.affine.scale.at(i, part), shift = known.affine.shift.at(i, part);
        if constexpr (!V::Frozen) b = known.b.at(i, part), c = known.c.at(i, part);
#pragma GCC unroll 4
        for (int row = 0; row < Rows; ++row) {
            const std::size_t at = i + row * stride;
            Vector<T> centred = {};
            if constexpr (reads) centred = load(x + at, part) - mean;
            const Vector<T> dz = slope<V::Kind, T>(load(dy + at, part), centred, scale, shift, job.mask,
                                                   bit + row * mask_stride + i);
            put<V::Streaming>(dx + at, V::Frozen ? a * dz : fma(a, dz, fma(b, centred, c)), part);
            if constexpr (V::Residual) put<V::Streaming>(dresidual + at, dz, part);
        }
    }
    INLINED void finish() {}
};

// A residual's gradient is one of its own only behind a ReLU, whose mask is then stored.
template <class T>
void pass(const Job& job, Writing writing, Summing summing, Share share) {
    if (share.begin >= share.end) return;
    with(job.streaming, [&](auto streaming) {
        with(job.frozen, [&](auto frozen) {
            constexpr bool F = frozen.value, S = streaming.value;
            const auto as = [&](auto variant) {
                constexpr Slope Kind = decltype(variant)::Kind;
                pass_as<T, Differentiate, Factors, Products<T, Kind>>(variant, job, writing, summing, share,
                                                                      products_of_rows<T, Kind>);
            };
            if (job.slope == Slope::one) as(Variant<Slope::one, false, F, S>{});
            else if (job.slope == Slope::recomputed) as(Variant<Slope::recomputed, false, F, S>{});
            else if (job.grad_residual == nullptr) as(Variant<Slope::stored, false, F, S>{});
            else as(Variant<Slope::stored, true, F, S>{});
        });
    });
}

template <class T>
struct Made {
    static constexpr Passes passes = {clear<T>, pass<T>, fold<T>, spread<Scalar<T>>, BYTES};
};

}  // namespace

Passes BNBENCH_NAME(backward_passes)(int dtype) { return passes_of<Made>(dtype); }
