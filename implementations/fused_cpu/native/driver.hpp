// What the forward and the backward of a call have in common.
#pragma once

#include <initializer_list>

#include "batch_norm.hpp"
#include "desks.hpp"
#include "numbers.hpp"
#include "pipeline.hpp"

static inline Index values(const Job& job) { return job.shape.samples * job.shape.pixels; }
static inline Index bytes(const Job& job) { return values(job) * job.shape.channels * job.item; }

// The constants of the forward. What of the mean a float has no digits for goes into the shift.
template <class S>
void set_affine(const Constants<S>& to, Index at, double mean, double invstd, double weight, double bias) {
    to.mean[at] = static_cast<S>(mean);
    to.scale[at] = static_cast<S>(weight * invstd);
    to.shift[at] = static_cast<S>(bias - weight * invstd * (mean - to.mean[at]));
}

// A call, as its threads see it.
template <class S>
struct Call {
    const Job& job;
    const Parameters& parameters;
    const Passes& passes;
    const Desks& desks;

    Constants<S> constants(const Team& team, int set) const { return desks.of(team.leader()).template as<S>(set); }
    double weight(Index channel) const { return numbers::get(parameters.weight, parameters.dtype, channel, 1); }
    double bias(Index channel) const { return numbers::get(parameters.bias, parameters.dtype, channel, 0); }

    // f(index in the block, channel) for the thread's part of them; then all the team's constants of these kinds are there.
    template <class F>
    void settle(const Team& team, Block block, std::initializer_list<S*> kinds, F f) const {
        const Block part = team.part(block);
        for (Index at = part.begin; at < part.end; ++at) f(at, block.begin + at);
        team.wait();
        if (!job.shape.rows || job.shape.pixels == 1) return;
        if (team.rank == 0)
            for (S* kind : kinds) passes.spread(job, block, kind);
        team.wait();
    }
};

// Without sums to wait for, one block is as good as many.
static inline Plan in_one(Plan plan, const Job& job, int threads) {
    plan.team = threads > 1;
    plan.width = job.shape.channels;
    return plan;
}
