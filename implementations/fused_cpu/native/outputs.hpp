// How a pass writes outputs and sums in one traversal. What is written at each element is up to an
// element writer, which has
//   target()                             where its first element goes
//   coefficients(channel)                the coefficients of a channel
//   write(index, lanes, coefficients)    writes these elements
//   finish()                             after the last one
#pragma once

#include "partition.hpp"

namespace {

// make_writer(offset, bit, Constant<number of rows>) gives the element writer. Rows that are
// streamed together have to be aligned alike.
template <class T, bool Streaming, class C, class F>
INLINE void write_rows(const KernelArgs& args, ChannelBlock block, Partition partition,
                       const C& coefficients, F make_writer) {
    const bool alike = !Streaming || args.shape.row_size() * sizeof(T) % VECTOR_BYTES == 0;
    for_each_row_tile(args.shape, block, partition, partition.single_rows || !alike,
                      [&](Index offset, Index bit, auto rows) ALWAYS_INLINE {
                          auto writer = make_writer(offset, bit, rows);
                          for_each_vector<LANES<T>>(
                              elements(args, block),
                              elements_before_aligned<Streaming>(writer.target()),
                              [&](std::size_t i, auto lanes)
                                  ALWAYS_INLINE { writer.write(i, lanes, coefficients); });
                          writer.finish();
                      });
}

// Writes the outputs of a strip vector by vector. A vector on the border of two planes has
// coefficients of both: were it stored in two parts, memory would have to read its cache line
// first.
template <int N, class ElementWriter>
class StripWriter {
  public:
    using PlaneCoefficients = typename ElementWriter::PlaneCoefficients;
    ALWAYS_INLINE StripWriter(ElementWriter& writer, const Strip& strip, Index head)
        : writer_(writer), strip_(strip), head_(head) {}

    ALWAYS_INLINE void begin(Index plane) {
        const PlaneCoefficients current = writer_.coefficients(strip_.channel + plane);
        const Index start = end_;
        end_ += strip_.pixels;
        if (plane == 0 && head_ > 0) {
            at_ = head_ < end_ ? head_ : end_;
            writer_.write(0, FirstLanes{static_cast<int>(at_)}, current);
        } else if (at_ < start) {
            coefficients_.blend_tail(static_cast<int>(start - at_), current);
            writer_.write(at_, AllLanes{}, coefficients_);
            at_ += N;
        }
        coefficients_ = current;
    }
    ALWAYS_INLINE bool has(Index vectors) const { return at_ + vectors * N <= end_; }
    ALWAYS_INLINE void next() {
        writer_.write(at_, AllLanes{}, coefficients_);
        at_ += N;
    }
    ALWAYS_INLINE void end(Index plane) {
        if (plane + 1 == strip_.planes && at_ < end_)
            writer_.write(at_, FirstLanes{static_cast<int>(end_ - at_)}, coefficients_);
    }

  private:
    ElementWriter& writer_;
    const Strip& strip_;
    PlaneCoefficients coefficients_;
    Index head_, at_ = 0, end_ = 0;  // elements: of the next vector, and of the plane's end
};

// The outputs of one strip and the sums of another, interleaved so that memory is read and written
// at once. `reduction` adds up a plane: begin(channel, offset), add(index, accumulator, lanes),
// end(channel). It has four accumulators, so that no addition waits for the one before.
template <int N, class StripWriter, class Reduction>
INLINE void write_and_reduce(const Strip& written, StripWriter& writer, const Strip& summed,
                             Reduction& reduction) {
    const Index planes = written.planes > summed.planes ? written.planes : summed.planes;
    for (Index plane = 0; plane < planes; ++plane) {
        const bool writes = plane < written.planes, adds = plane < summed.planes;
        if (writes) writer.begin(plane);
        const Index vectors = adds ? summed.pixels / N : 0;
        if (adds) reduction.begin(summed.channel + plane, plane * summed.pixels);
        Index at = 0;
        for (; writer.has(4) && at + 4 <= vectors; at += 4)
#pragma GCC unroll 4
            for (int accumulator = 0; accumulator < 4; ++accumulator) {
                writer.next();
                reduction.add((at + accumulator) * N, accumulator, AllLanes{});
            }
        while (writer.has(1)) writer.next();
        if (writes) writer.end(plane);
        if (!adds) continue;
        for (; at + 4 <= vectors; at += 4)
#pragma GCC unroll 4
            for (int accumulator = 0; accumulator < 4; ++accumulator)
                reduction.add((at + accumulator) * N, accumulator, AllLanes{});
        for (; at < vectors; ++at) reduction.add(at * N, 0, AllLanes{});
        if (at * N < summed.pixels)
            reduction.add(at * N, 0, FirstLanes{static_cast<int>(summed.pixels - at * N)});
        reduction.end(summed.channel + plane);
    }
}

// The outputs of one block and the sums of another. make_writer(offset, bit) gives the element
// writer; `reduction` also has
//   begin_strip(strip)
//   end_item(pixels)      after the last channel of an item
template <class T, bool Streaming, class F, class Reduction>
INLINE void pass_planes(const KernelArgs& args, ChannelBlock written, ChannelBlock summed,
                        Partition partition, F make_writer, Reduction& reduction) {
    for_each_strip(args.shape, written, summed, partition, LANES<T>,
                   [&](const Strip& one, const Strip& other) ALWAYS_INLINE {
                       auto writer = make_writer(one.offset, one.bit);
                       StripWriter<LANES<T>, decltype(writer)> strip_writer(
                           writer, one, elements_before_aligned<Streaming>(writer.target()));
                       reduction.begin_strip(other);
                       write_and_reduce<LANES<T>>(one, strip_writer, other, reduction);
                       if (one.planes > 0) writer.finish();
                       if (other.planes > 0 && other.channel + other.planes == summed.width())
                           reduction.end_item(other.pixels);
                   });
}

// A pass of a forward or a backward over a chunk, be it planes or rows. ElementWriter<T, V, rows>
// writes variant V with Coefficients of PerElement or Broadcast, Reduction sums planes, and
// reduce_rows(args, summed, partition) sums rows.
template <class T, template <class, class, int> class ElementWriter,
          template <template <class> class, class> class CoefficientsOf, class Reduction, class V,
          class F>
INLINE void pass_variant(V, const KernelArgs& args, OutputBlock written, ReductionBlock summed,
                         Partition partition, F reduce_rows) {
    const auto& coefficients = *static_cast<const Coefficients<Scalar<T>>*>(written.coefficients);
    if (!args.shape.row_wise) {
        Reduction reduction(args, summed);
        return pass_planes<T, V::Streaming>(
            args, written.block, summed.block, partition,
            [&](Index offset, Index bit)
                ALWAYS_INLINE { return ElementWriter<T, V, 1>(args, coefficients, offset, bit); },
            reduction);
    }
    if (written.block.width() > 0)
        write_rows<T, V::Streaming>(
            args, written.block, partition, CoefficientsOf<PerElement, Scalar<T>>(coefficients, 0),
            [&](Index offset, Index bit, auto rows) ALWAYS_INLINE {
                return ElementWriter<T, V, rows.value>(args, coefficients, offset, bit);
            });
    if (summed.block.width() > 0) reduce_rows(args, summed, partition);
}

// KernelsOf<T>::kernels for the dtype's T.
template <template <class> class KernelsOf>
Kernels kernels_for(int dtype) {
    switch (dtype) {
        case FLOAT64: return KernelsOf<double>::kernels;
        case BFLOAT16: return KernelsOf<bfloat16>::kernels;
        case FLOAT16: return KernelsOf<float16>::kernels;
        default: return KernelsOf<float>::kernels;
    }
}

}  // namespace
