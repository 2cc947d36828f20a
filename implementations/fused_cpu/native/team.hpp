// Who works with whom on what.
#pragma once

#include <omp.h>

#include "plan.hpp"

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
        return {cut(rank), cut(rank + 1), plan.piece};
    }
};

// Calls f(team, block) in every thread for every block that is its own or its team's.
template <class F>
void for_blocks(const Plan& plan, Index channels, int threads, F f) {
    const Index blocks = (channels + plan.width - 1) / plan.width;
    const auto run = [&](Team team, Index first, Index last) {
        for (Index index = first; index < last; ++index) {
            const Index end = (index + 1) * plan.width;
            f(team, Block{index * plan.width, end < channels ? end : channels});
        }
    };
    if (threads == 1) return run(Team{0, 1, 0}, 0, blocks);
#pragma omp parallel num_threads(threads)
    {
        const int number = omp_get_thread_num(), size = omp_get_num_threads();
        if (plan.team) run(Team{number, size, number}, 0, blocks);
        else run(Team{0, 1, number}, blocks * number / size, blocks * (number + 1) / size);
    }
}
