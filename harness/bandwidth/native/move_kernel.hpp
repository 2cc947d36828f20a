// What one thread does in a pass over memory, compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

// library.py declares the same structures for ctypes.
struct Region {
    char* data;
    std::size_t bytes;
};
struct Pass {
    const Region* reads;
    const Region* writes;
    std::int32_t read_count;
    std::int32_t write_count;
};
constexpr int MAX_REGIONS = 16;  // reads of a pass, and writes of a pass

// A thread's number, of how many.
struct ThreadId {
    int thread;
    int threads;
};

// Moves this thread's part of a pass. Returns the sum of what it read as 64-bit words, in no
// particular grouping; the sum changes when one byte does.
using Move = std::uint64_t(const Pass& pass, ThreadId id, bool streaming);
Move move_baseline, move_v3, move_v4;
