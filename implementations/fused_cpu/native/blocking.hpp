// Cache blocking and the division of work among threads: from the shape, the cache sizes and the
// number of threads.
#pragma once

#include "kernel_api.hpp"

// Bytes. Those of this machine, unless set.
struct CacheSizes {
    Index l2;          // of one core
    Index last_level;  // shared by all cores
};
CacheSizes& cache_sizes();

// Either each thread has blocks of its own, or all threads work as a team on one block after
// another. A block is as wide as fits the cache (a thread's own L2, or the last level for a team),
// so that the second pass finds there what the first one has read.
struct Blocking {
    bool team;
    Index width;    // channels of a block
    Index items;    // rows, or pieces of planes: what a team divides among its threads
    Index piece;    // pixels of a piece
    Index granule;  // items that stay with one thread, since their elements share bytes of the mask
    Index chunk;    // items of a pass
    Index cached_chunks;  // chunks of a thread's partition of a block that stay in the cache
    bool single_rows;     // rows one at a time, not in tiles
};

// `arrays` are read by both passes: the input, and in a backward the output's gradient.
Blocking choose_blocking(const KernelArgs& args, int arrays, int threads);

// Whether to traverse row by row: always if channels lie innermost, else where planes are small.
bool prefer_rows(const Shape& shape);

// How many threads are worth waking up for a call that moves this many bytes.
int useful_threads(const KernelArgs& args, Index bytes, int threads);

// Whether outputs bypass the caches in a call that moves this many bytes in all.
bool prefer_streaming(Index bytes);
