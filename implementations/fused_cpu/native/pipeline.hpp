// Who works on what, and in which order: blocks of channels one after the other, each summed while the one before is written,
// so that memory reads and writes at once.
#pragma once

#include <omp.h>

#include "plan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Has what was streamed be seen by other threads before what is stored next.
static inline void fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

// A thread's place among those that work on the same blocks.
struct Team {
    int rank, size;
    int number;  // the thread's own among all
    int leader() const { return number - rank; }

    void wait() const {
        if (size > 1) {
#pragma omp barrier
        }
    }
    // This one's part of a block's channels.
    Block part(Block block) const {
        return {block.width() * rank / size, block.width() * (rank + 1) / size};
    }
    Share share(const Plan& plan) const {
        const Index granules = (plan.items + plan.granule - 1) / plan.granule;
        const auto cut = [&](Index at) {
            const Index item = granules * at / size * plan.granule;
            return item < plan.items ? item : plan.items;
        };
        return {cut(rank), cut(rank + 1), plan.piece, plan.apart};
    }
};

// Blocks first to last, always upwards, since memory comes two to three times as slowly downwards. Of a block that is alone,
// what was summed last, and is still cached, is written first.
template <class Stages>
void in_turn(const Plan& plan, Index channels, Team team, Index first, Index last, Stages& stages) {
    const Share share = team.share(plan);
    const Index runs = (share.end - share.begin + plan.run - 1) / plan.run;
    const Index behind = last - first == 1 && plan.cached < runs ? runs - plan.cached : 0;
    const auto run = [&](Index number) {
        const Index begin = share.begin + number % runs * plan.run, end = begin + plan.run;
        return Share{begin, end < share.end ? end : share.end, share.piece, share.apart};
    };
    const auto block = [&](Index index) {
        const Index end = (index + 1) * plan.width;
        return index < first || index == last ? Block{} : Block{index * plan.width, end < channels ? end : channels};
    };
    for (Index index = first; index <= last; ++index) {
        const Block now = block(index), before = block(index - 1);
        const int set = index % 2;
        if (index < last) stages.begin(team, now, set);
        for (Index number = 0; number < runs; ++number)
            stages.pass(team, before, now, run(index < last ? number : number + behind), set);
        if (index < last) stages.end(team, now, set);
    }
    fence();
}

// Has all threads go over their own or their team's blocks. A thread's stages do:
//   begin(team, block, set)             what comes before its sums; `set`, 0 or 1, says which constants are this block's
//   pass(team, before, now, run, set)   of a part of the thread's share, the sums of `now`, and the outputs of the block before
//                                       it, which has the other set
//   end(team, block, set)               the constants that follow from its sums
// make(number of a thread) gives that thread's.
template <class F>
void pipeline(const Plan& plan, Index channels, int threads, F make) {
    const Index blocks = (channels + plan.width - 1) / plan.width;
    if (threads == 1) {
        auto stages = make(0);
        return in_turn(plan, channels, Team{0, 1, 0}, 0, blocks, stages);
    }
#pragma omp parallel num_threads(threads)
    {
        const int number = omp_get_thread_num(), size = omp_get_num_threads();
        auto stages = make(number);
        if (plan.team) in_turn(plan, channels, Team{number, size, number}, 0, blocks, stages);
        else in_turn(plan, channels, Team{0, 1, number}, blocks * number / size, blocks * (number + 1) / size, stages);
    }
}
