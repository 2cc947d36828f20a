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
    bool apart;  // rows one by one rather than some together
};

// Per channel of a block, in what the dtype is computed in. The forward is (x - mean)·scale + shift, the gradient
// a·dz + b·(x - mean) + c. In rows of more than one pixel a channel they are spread: there is one for each element.
template <class S>
struct Constants {
    S *mean, *scale, *shift, *a, *b, *c;
};

// One thread's sums over its share of a block. Per channel, in moments: mean and Σ(x - mean)², of `count` values; in products:
// Σdz and Σdz·(x - constants.mean). In rows there is a sum for each element of a row until they are folded.
struct Sums {
    Index count;
    double *first, *second;
    Index waiting;           // values of a channel that are in `partial` and not yet in the doubles
    void *origin, *partial;  // what moments are taken about, and sums in the making
};

// The bit of an element's first channel, sample and pixel in the mask: those of a sample begin in a byte of their own.
static inline Index bit_of(const Shape& shape, Index sample, Index channel, Index pixel) {
    return sample * ((shape.row() + 7) / 8 * 8) + channel * shape.pixels + pixel;
}

// A block whose outputs are due, and one whose sums are. Without channels there is none.
struct Writing {
    Block block;
    const void* constants;
};
struct Summing {
    Block block;
    const void* constants;
    Sums* sums;
};

// Of a forward or a backward. A share is gone over part by part, and outputs follow a block behind the sums: `clear`, `pass` for
// each part, `fold`; the constants follow from the sums.
struct Passes {
    void (*clear)(const Job&, Block, Sums&);
    void (*pass)(const Job&, Writing, Summing, Share);
    void (*fold)(const Job&, Block, Sums&);
    void (*spread)(const Job&, Block, void* constants);  // of one kind, from one a channel to one an element of a row
    int vector_bytes;
};

enum Dtype { FLOAT32, FLOAT64, BFLOAT16, FLOAT16, DTYPES };
