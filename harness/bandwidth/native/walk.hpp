// What one thread does of a pass, compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

// Python's side of this is in library.py.
struct Stream {
    char* data;
    std::size_t bytes;
};
struct Pass {
    const Stream* reads;
    const Stream* writes;
    std::int32_t read_count;
    std::int32_t write_count;
};
constexpr int MOST_STREAMS = 16;  // reads of a pass, and writes of a pass
struct Share {
    int thread;
    int threads;
};

// Returns the sum of what was read, in 64-bit words, whichever those are: it changes when a byte does.
using Walk = std::uint64_t(const Pass& pass, Share share, bool streaming);
Walk walk_baseline, walk_v3, walk_v4;
