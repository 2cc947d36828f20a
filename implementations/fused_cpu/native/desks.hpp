// The memory that a call needs beside its data: per thread, kept from call to call.
#pragma once

#include <cstdlib>

#include "passes.hpp"

// What a thread has to itself. A team uses the constants of its first thread: one set for the block that is summed, another for
// the one that is written.
struct Desk {
    Sums sums;
    void* constants[2][6];

    template <class S>
    Constants<S> as(int set) const {
        const auto at = [&](int index) { return static_cast<S*>(constants[set][index]); };
        return {at(0), at(1), at(2), at(3), at(4), at(5)};
    }
};

class Desks {
  public:
    // For blocks of up to so many channels.
    Desks(int threads, Index channels, const Job& job, int vector_bytes) {
        const Index width = channels * (job.shape.rows ? job.shape.pixels : 1);
        const Index line = rounded((job.dtype == FLOAT64 ? 8 : 4) * width), doubles = rounded(8 * width);
        const Index pending = job.shape.rows ? 2 * line : rounded(2 * width * vector_bytes);
        each_ = rounded(sizeof(Desk)) + 2 * doubles + 13 * line + pending + APART;
        base_ = reserve(threads * each_);
        for (int thread = 0; thread < threads; ++thread) {
            char* at = base_ + thread * each_ + rounded(sizeof(Desk));
            const auto take = [&at](Index bytes) { return (at += bytes) - bytes; };
            Desk& desk = of(thread);
            desk.sums = {};
            desk.sums.first = reinterpret_cast<double*>(take(doubles));
            desk.sums.second = reinterpret_cast<double*>(take(doubles));
            desk.sums.origin = take(line);
            desk.sums.partial = take(pending);
            for (auto& set : desk.constants)
                for (void*& constant : set) constant = take(line);
        }
    }
    Desk& of(int thread) const { return *reinterpret_cast<Desk*>(base_ + thread * each_); }

  private:
    static constexpr Index LINE = 64;
    static constexpr Index APART = 2 * LINE;  // so that no thread's writing takes a line, or its neighbour, from another
    static Index rounded(Index bytes) { return (bytes + LINE - 1) / LINE * LINE; }
    static char* reserve(Index bytes) {
        thread_local struct Kept {
            char* memory = nullptr;
            Index bytes = 0;
            ~Kept() { std::free(memory); }
        } kept;
        if (kept.bytes < bytes) {
            std::free(kept.memory);
            kept.memory = static_cast<char*>(std::aligned_alloc(LINE, rounded(bytes)));
            if (kept.memory == nullptr) std::abort();  // it is some KB a thread: there is nothing to go on with
            kept.bytes = bytes;
        }
        return kept.memory;
    }
    char* base_;
    Index each_;
};
