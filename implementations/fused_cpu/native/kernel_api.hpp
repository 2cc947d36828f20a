// The interface of the kernels: what one thread does of a batch norm, in passes over its partition
// of a block of channels. The kernels are compiled once per instruction set.
#pragma once

#include <cstdint>

using Index = std::int64_t;

// Data of shape (samples, channels, pixels). A plane is one channel of one sample; a row is one
// whole sample. Data are traversed row by row where channels lie innermost (each pixel is then a
// sample of one pixel) and where planes are so small that a vector would hardly fit; else plane by
// plane.
struct Shape {
    Index samples, channels, pixels;
    bool row_wise;
    Index row_size() const { return channels * pixels; }
};

// Where a backward takes ReLU's mask from: there is no ReLU, the mask is recomputed from the input,
// or the forward has stored it.
enum class ReluMask : int { none, recomputed, stored };

// The operands of one batch norm. Pointers to absent operands are null. All data have one dtype, of
// `item_bytes` bytes per element.
struct KernelArgs {
    Shape shape;
    int dtype, item_bytes;
    const void *input, *residual, *grad_output;
    void *output, *grad_input, *grad_residual;
    std::uint8_t* mask;  // one bit per element, set where ReLU let it through; see mask_bit
    ReluMask relu_mask;
    bool relu, streaming;
    bool frozen;  // statistics do not depend on the input: the gradient is a·dz
};

struct ChannelBlock {
    Index begin, end;
    Index width() const { return end - begin; }
};

// The items that one thread works on. An item is a row, or a piece of each plane of one sample; a
// piece has `piece` pixels, the last one of a plane perhaps fewer.
struct Partition {
    Index begin, end, piece;
    bool single_rows;  // rows one at a time, not in tiles
};

// Per channel of a block, in the type that the dtype is computed in. The forward is
// (x - mean)·scale + shift, the gradient a·dz + b·(x - mean) + c. Row-wise with more than one pixel
// they are expanded, so that each element of a row has its own.
template <class S>
struct Coefficients {
    S *mean, *scale, *shift, *a, *b, *c;
};

// One thread's sums over its partition of a block. In a forward `first` is the mean of `count`
// values of a channel and `second` is Σ(x - mean)²; in a backward they are Σdz and Σdz·(x - mean).
// Row-wise there is a sum for each element of a row until `reduce` makes one per channel of them.
struct Accumulators {
    Index count;
    double *first, *second;
    Index pending;  // values per channel that are in `partial` and not yet in `first` and `second`
    void* origin;   // what a forward subtracts before it sums
    void* partial;  // sums in the type that the dtype is computed in
};

// The index of an element's bit in the mask. Each sample starts at a byte boundary.
static inline Index mask_bit(const Shape& shape, Index sample, Index channel, Index pixel) {
    return sample * ((shape.row_size() + 7) / 8 * 8) + channel * shape.pixels + pixel;
}

// A pass writes the outputs of one block and sums over another. A block without channels is
// skipped.
struct OutputBlock {
    ChannelBlock block;
    const void* coefficients;
};
struct ReductionBlock {
    ChannelBlock block;
    const void* coefficients;
    Accumulators* accumulators;
};

// The kernels of a forward or a backward for one dtype. For each block: `clear`, then `pass` for
// each chunk of the partition, then `reduce`. The coefficients are computed from the sums, so
// outputs are written one block later than they are summed.
struct Kernels {
    void (*clear)(const KernelArgs&, ChannelBlock, Accumulators&);
    void (*pass)(const KernelArgs&, OutputBlock, ReductionBlock, Partition);
    void (*reduce)(const KernelArgs&, ChannelBlock, Accumulators&);
    // One array of coefficients, in place: from one per channel to one per element of a row.
    void (*expand)(const KernelArgs&, ChannelBlock, void* coefficient);
    int vector_bytes;
};

enum Dtype { FLOAT32, FLOAT64, BFLOAT16, FLOAT16, DTYPES };
