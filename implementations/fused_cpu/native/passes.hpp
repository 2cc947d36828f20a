// What one thread does of a batch norm: passes over its share of a block of channels. Compiled once per instruction set.
#pragma once

#include <cstdint>

using Index = std::int64_t;

// Data of shape (samples, channels, pixels), gone over plane by plane or row by row. A row is all of a sample. Rows are for
// channels that lie innermost, where each pixel is a sample with one pixel, and for planes of few pixels, where a vector would
// hardly fit.
struct Shape {
    Index samples, channels, pixels;
    bool rows;
    Index row() const { return channels * pixels; }
};

// How ReLU's slope is known in a backward.
enum class Slope : int { one, recomputed, stored };

// One batch norm. Pointers are null for what there is not; data are of one dtype, of `item` bytes.
struct Job {
    Shape shape;
    int dtype, item;
    const void *input, *residual, *grad_output;
    void *output, *grad_input, *grad_residual;
    std::uint8_t* mask;  // a bit for each element, set where ReLU let it through; see bit_of
    Slope slope;
    bool relu, streaming;
    bool frozen;  // statistics that do not depend on the input: the gradient is a·dz
};

struct Block {
    Index begin, end;  // channels
    Index width() const { return end - begin; }
};

// Items are rows, or pieces of planes, sample by sample: a piece has `piece` pixels, the last of a plane maybe fewer.
struct Share {
    Index begin, end, piece;
};

// Per channel of a block, in what the dtype is computed in. The forward is (x - mean)·scale + shift, the gradient
// a·dz + b·(x - mean) + c.
template <class S>
struct Constants {
    S *mean, *scale, *shift, *a, *b, *c;
};

// One thread's sums over its share of a block. Per channel, in moments: mean and Σ(x - mean)², of `count` values; in products:
// Σdz and Σdz·(x - constants.mean). In rows there is a sum for each element of a row until they are folded.
struct Sums {
    Index count;
    double *first, *second;
    void *origin, *partial;  // what moments are taken about, and sums that were not added to the doubles yet
};

// The bit of an element's first channel, sample and pixel in the mask: those of a sample begin in a byte of their own.
static inline Index bit_of(const Shape& shape, Index sample, Index channel, Index pixel) {
    return sample * ((shape.row() + 7) / 8 * 8) + channel * shape.pixels + pixel;
}

// A block's share may be gone over part by part: clear, sums of each part, fold.
struct Passes {
    void (*clear)(const Job&, Block, Sums&);
    void (*moments)(const Job&, Block, Share, Sums&);
    void (*fold_moments)(const Job&, Block, Sums&);
    void (*products)(const Job&, Block, Share, Sums&, const void* constants);
    void (*fold_products)(const Job&, Block, Sums&);
    void (*spread)(const Job&, Block, const void* constants);  // from one a channel to one an element of a row
    void (*normalize)(const Job&, Block, Share, const void* constants);
    void (*gradient)(const Job&, Block, Share, const void* constants);
    int vector_bytes;
};

enum Dtype { FLOAT32, FLOAT64, BFLOAT16, FLOAT16, DTYPES };
