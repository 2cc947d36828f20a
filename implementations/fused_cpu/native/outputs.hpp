// How outputs are written, by a formula that is told where. A formula has
//   target()                              where its first element goes
//   known(channel)                        the constants of a channel
//   at(index, Whole or Part, constants)   writes these elements
//   finish()                              after the last
#pragma once

#include "shares.hpp"

namespace {

// make(offset, bit, Constant<number of rows>) gives the formula. Rows that are streamed together have to be aligned alike.
template <class T, bool Streaming, class Known, class F>
INLINE void write_rows(const Job& job, Block block, Share share, const Known& known, F make) {
    const bool alike = !Streaming || job.shape.row() * sizeof(T) % BYTES == 0;
    rows(job.shape, block, share, share.apart || !alike, [&](Index offset, Index bit, auto many) INLINED {
        auto formula = make(offset, bit, many);
        walk<LANES<T>>(elements(job, block), head<Streaming>(formula.target()), [&](std::size_t i, auto part) INLINED {
            formula.at(i, part, known);
        });
        formula.finish();
    });
}

// The outputs of a strip, vector by vector. A vector on the border of two planes has constants of both, so that no line is
// stored in parts, which memory would have to read first.
template <int N, class Formula>
class Outputs {
  public:
    using Known = typename Formula::Known;
    INLINED Outputs(Formula& formula, const Strip& strip, Index head) : formula_(formula), strip_(strip), head_(head) {}

    INLINED void begin(Index plane) {
        const Known now = formula_.known(strip_.channel + plane);
        const Index start = end_;
        end_ += strip_.pixels;
        if (plane == 0 && head_ > 0) {
            at_ = head_ < end_ ? head_ : end_;
            formula_.at(0, Part{static_cast<int>(at_)}, now);
        } else if (at_ < start) {
            known_.border(static_cast<int>(start - at_), now);
            formula_.at(at_, Whole{}, known_);
            at_ += N;
        }
        known_ = now;
    }
    INLINED bool has(Index vectors) const { return at_ + vectors * N <= end_; }
    INLINED void next() {
        formula_.at(at_, Whole{}, known_);
        at_ += N;
    }
    INLINED void end(Index plane) {
        if (plane + 1 == strip_.planes && at_ < end_) formula_.at(at_, Part{static_cast<int>(end_ - at_)}, known_);
    }

  private:
    Formula& formula_;
    const Strip& strip_;
    Known known_;
    Index head_, at_ = 0, end_ = 0;  // elements: of the next vector, and of the plane's end
};

// The outputs of one strip and the sums of another, in turn, so that memory is read and written at once. Sums are of four
// accumulators a plane, so that none waits for the one before; which takes what does not depend on the outputs.
template <int N, class Outputs, class Sums>
INLINE void in_step(const Strip& written, Outputs& outputs, const Strip& summed, Sums& sums) {
    const Index most = written.planes > summed.planes ? written.planes : summed.planes;
    for (Index plane = 0; plane < most; ++plane) {
        const bool writes = plane < written.planes, adds = plane < summed.planes;
        if (writes) outputs.begin(plane);
        const Index whole = adds ? summed.pixels / N : 0;
        if (adds) sums.begin(summed.channel + plane, plane * summed.pixels);
        Index at = 0;
        for (; outputs.has(4) && at + 4 <= whole; at += 4)
#pragma GCC unroll 4
            for (int accumulator = 0; accumulator < 4; ++accumulator) {
                outputs.next();
                sums.add((at + accumulator) * N, accumulator, Whole{});
            }
        while (outputs.has(1)) outputs.next();
        if (writes) outputs.end(plane);
        if (!adds) continue;
        for (; at + 4 <= whole; at += 4)
#pragma GCC unroll 4
            for (int accumulator = 0; accumulator < 4; ++accumulator) sums.add((at + accumulator) * N, accumulator, Whole{});
        for (; at < whole; ++at) sums.add(at * N, 0, Whole{});
        if (at * N < summed.pixels) sums.add(at * N, 0, Part{static_cast<int>(summed.pixels - at * N)});
        sums.end(summed.channel + plane);
    }
}

// The outputs of one block and the sums of another. make(offset, bit) gives the formula; `sums` also has
//   place(strip)                          before a strip
//   item(pixels)                          after the last channel of an item
template <class T, bool Streaming, class F, class Sums>
INLINE void pass_planes(const Job& job, Block written, Block summed, Share share, F make, Sums& sums) {
    strips(job.shape, written, summed, share, LANES<T>, [&](const Strip& one, const Strip& other) INLINED {
        auto formula = make(one.offset, one.bit);
        Outputs<LANES<T>, decltype(formula)> outputs(formula, one, head<Streaming>(formula.target()));
        sums.place(other);
        in_step<LANES<T>>(one, outputs, other, sums);
        if (one.planes > 0) formula.finish();
        if (other.planes > 0 && other.channel + other.planes == summed.width()) sums.item(other.pixels);
    });
}

// The part of a share that is gone over at a time, be it planes or rows, in a forward or a backward: Formula<T, V, rows> writes
// with constants Known, Sums are those of planes, and sum_rows(job, summing, share) makes those of rows.
template <class T, template <class, class, int> class Formula, template <template <class> class, class> class Known, class Sums,
          class V, class F>
INLINE void pass_as(V, const Job& job, Writing writing, Summing summing, Share share, F sum_rows) {
    const auto& constants = *static_cast<const Constants<Scalar<T>>*>(writing.constants);
    if (!job.shape.rows) {
        Sums sums(job, summing);
        return pass_planes<T, V::Streaming>(
            job, writing.block, summing.block, share,
            [&](Index offset, Index bit) INLINED { return Formula<T, V, 1>(job, constants, offset, bit); }, sums);
    }
    if (writing.block.width() > 0)
        write_rows<T, V::Streaming>(
            job, writing.block, share, Known<Each, Scalar<T>>(constants, 0), [&](Index offset, Index bit, auto many) INLINED {
                return Formula<T, V, many.value>(job, constants, offset, bit);
            });
    if (summing.block.width() > 0) sum_rows(job, summing, share);
}

// Made<T>::passes of the dtype's T.
template <template <class> class Made>
Passes passes_of(int dtype) {
    switch (dtype) {
        case FLOAT64: return Made<double>::passes;
        case BFLOAT16: return Made<bfloat16>::passes;
        case FLOAT16: return Made<float16>::passes;
        default: return Made<float>::passes;
    }
}

}  // namespace
