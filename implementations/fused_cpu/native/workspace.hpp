// Scratch memory of a call: one part per thread, kept from call to call.
#pragma once

#include <cstdlib>

#include "kernel_api.hpp"

// One thread's part. Coefficients are double-buffered: one buffer for the block that is being
// summed, another for the block that is being written. A team uses those of its first thread.
struct ThreadWorkspace {
    Accumulators accumulators;
    void* coefficient_arrays[2][6];

    template <class S>
    Coefficients<S> coefficients(int buffer) const {
        const auto at = [&](int index) {
            return static_cast<S*>(coefficient_arrays[buffer][index]);
        };
        return {at(0), at(1), at(2), at(3), at(4), at(5)};
    }
};

class Workspace {
  public:
    // For blocks of at most `channels` channels.
    Workspace(int threads, Index channels, const KernelArgs& args, int vector_bytes) {
        const Index width = channels * (args.shape.row_wise ? args.shape.pixels : 1);
        const Index scalars = rounded((args.dtype == FLOAT64 ? 8 : 4) * width);
        const Index doubles = rounded(8 * width);
        const Index partial = args.shape.row_wise ? 2 * scalars : rounded(2 * width * vector_bytes);
        thread_bytes_ =
            rounded(sizeof(ThreadWorkspace)) + 2 * doubles + 13 * scalars + partial + PADDING;
        base_ = reserve(threads * thread_bytes_);
        for (int thread = 0; thread < threads; ++thread) {
            char* at = base_ + thread * thread_bytes_ + rounded(sizeof(ThreadWorkspace));
            const auto take = [&at](Index bytes) { return (at += bytes) - bytes; };
            ThreadWorkspace& workspace = of(thread);
            workspace.accumulators = {};
            workspace.accumulators.first = reinterpret_cast<double*>(take(doubles));
            workspace.accumulators.second = reinterpret_cast<double*>(take(doubles));
            workspace.accumulators.origin = take(scalars);
            workspace.accumulators.partial = take(partial);
            for (auto& buffer : workspace.coefficient_arrays)
                for (void*& array : buffer) array = take(scalars);
        }
    }
    ThreadWorkspace& of(int thread) const {
        return *reinterpret_cast<ThreadWorkspace*>(base_ + thread * thread_bytes_);
    }

  private:
    static constexpr Index LINE = 64;
    // Against false sharing, also by the prefetcher that fetches lines in pairs.
    static constexpr Index PADDING = 2 * LINE;
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
            // Some KB per thread: without them nothing else would work either.
            if (kept.memory == nullptr) std::abort();
            kept.bytes = bytes;
        }
        return kept.memory;
    }
    char* base_;
    Index thread_bytes_;
};
