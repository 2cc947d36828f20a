// The schedule of a call: blocks of channels one after another, each summed while the one before it
// is written, so that memory is read and written at once.
#pragma once

#include <omp.h>

#include "blocking.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Streaming stores are weakly ordered: this makes them visible to other threads before later
// stores.
static inline void store_fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

// A thread's place among those that work on the same blocks.
struct Team {
    int rank, size;
    int thread;  // this thread's number in the whole call
    int leader() const { return thread - rank; }

    void wait() const {
        if (size > 1) {
#pragma omp barrier
        }
    }
    // This thread's slice of a block's channels, counted from the block's first.
    ChannelBlock channel_slice(ChannelBlock block) const {
        return {block.width() * rank / size, block.width() * (rank + 1) / size};
    }
    Partition partition(const Blocking& blocking) const {
        const Index granules = (blocking.items + blocking.granule - 1) / blocking.granule;
        const auto bound = [&](Index at) {
            const Index item = granules * at / size * blocking.granule;
            return item < blocking.items ? item : blocking.items;
        };
        return {bound(rank), bound(rank + 1), blocking.piece, blocking.single_rows};
    }
};

// Runs blocks first to last - 1, with ascending addresses: descending, memory is two to three times
// as slow. If there is only one block, the outputs begin with the chunks that were summed last,
// since those are still cached.
template <class Stages>
void run_blocks(const Blocking& blocking, Index channels, Team team, Index first, Index last,
                Stages& stages) {
    const Partition partition = team.partition(blocking);
    const Index chunks = (partition.end - partition.begin + blocking.chunk - 1) / blocking.chunk;
    const Index rotation =
        last - first == 1 && blocking.cached_chunks < chunks ? chunks - blocking.cached_chunks : 0;
    const auto chunk = [&](Index number) {
        const Index begin = partition.begin + number % chunks * blocking.chunk;
        const Index end = begin + blocking.chunk;
        return Partition{begin, end < partition.end ? end : partition.end, partition.piece,
                         partition.single_rows};
    };
    const auto block = [&](Index index) {
        const Index end = (index + 1) * blocking.width;
        return index < first || index == last
                   ? ChannelBlock{}
                   : ChannelBlock{index * blocking.width, end < channels ? end : channels};
    };
    for (Index index = first; index <= last; ++index) {
        const ChannelBlock current = block(index), previous = block(index - 1);
        const int buffer = index % 2;
        if (index < last) stages.begin(team, current, buffer);
        for (Index number = 0; number < chunks; ++number)
            stages.pass(team, previous, current, chunk(index < last ? number : number + rotation),
                        buffer);
        if (index < last) stages.end(team, current, buffer);
    }
    store_fence();
}

// Runs all threads over their own blocks, or as one team over all blocks. make_stages(thread) gives
// a thread's stages:
//   begin(team, block, buffer)      before the sums of a block; `buffer`, 0 or 1, says which
//                                   coefficients are this block's
//   pass(team, previous, current, chunk, buffer)
//                                   for a chunk of the thread's partition: the sums of `current`,
//                                   and the outputs of `previous`, which has the other buffer
//   end(team, block, buffer)        the coefficients that follow from its sums
template <class F>
void run_pipeline(const Blocking& blocking, Index channels, int threads, F make_stages) {
    const Index blocks = (channels + blocking.width - 1) / blocking.width;
    if (threads == 1) {
        auto stages = make_stages(0);
        return run_blocks(blocking, channels, Team{0, 1, 0}, 0, blocks, stages);
    }
#pragma omp parallel num_threads(threads)
    {
        const int thread = omp_get_thread_num(), size = omp_get_num_threads();
        auto stages = make_stages(thread);
        if (blocking.team)
            run_blocks(blocking, channels, Team{thread, size, thread}, 0, blocks, stages);
        else
            run_blocks(blocking, channels, Team{0, 1, thread}, blocks * thread / size,
                       blocks * (thread + 1) / size, stages);
    }
}
