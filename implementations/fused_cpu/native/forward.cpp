// A forward: moments of a block, what follows of them for each channel, and the block once more.
#include <isa.hpp>

#include <cmath>

#include "driver.hpp"

Passes forward_passes_baseline(int dtype);
#if defined(BNBENCH_HAS_v3)
Passes forward_passes_v3(int dtype);
#endif
#if defined(BNBENCH_HAS_v4)
Passes forward_passes_v4(int dtype);
#endif

namespace {

struct Statistics {
    double mean, variance;
};

// Of all the team's values of a channel, in the order of its threads (Chan, Golub and LeVeque 1979).
Statistics joined(const Desks& desks, const Team& team, Index at) {
    double count = 0, mean = 0, spread = 0;
    for (int thread = team.leader(); thread < team.leader() + team.size; ++thread) {
        const Sums& sums = desks.of(thread).sums;
        if (sums.count == 0) continue;
        const double share = sums.count / (count + sums.count), apart = sums.first[at] - mean;
        mean += share * apart;
        spread += sums.second[at] + apart * apart * count * share;
        count += sums.count;
    }
    return {mean, spread / count};
}

Statistics running(const Parameters& of, Index channel) {
    return {numbers::get(of.running_mean, of.dtype, channel, 0), numbers::get(of.running_var, of.dtype, channel, 1)};
}

void update(const Parameters& of, Index channel, Statistics batch, double n) {
    const Statistics old = running(of, channel);
    const double kept = 1 - of.momentum;
    numbers::put(of.running_mean, of.dtype, channel, kept * old.mean + of.momentum * batch.mean);
    numbers::put(of.running_var, of.dtype, channel, kept * old.variance + of.momentum * batch.variance * (n / (n - 1)));
}

template <class S>
struct Forward : Call<S> {
    Saved saved;
    bool training;
    Sums& sums;

    void begin(const Team&, Block block, int) {
        if (training) this->passes.clear(this->job, block, sums);
    }
    void pass(const Team& team, Block before, Block now, Share run, int set) {
        const Constants<S> constants = this->constants(team, 1 - set);
        this->passes.pass(this->job, {before, &constants}, {training ? now : Block{}, nullptr, &sums}, run);
    }
    void end(const Team& team, Block block, int set) {
        const Constants<S> constants = this->constants(team, set);
        if (training) this->passes.fold(this->job, block, sums), team.wait();
        this->settle(team, block, {constants.mean, constants.scale, constants.shift}, [&](Index at, Index channel) {
            const Statistics found = training ? joined(this->desks, team, at) : running(this->parameters, channel);
            if (training && this->parameters.running_mean != nullptr)
                update(this->parameters, channel, found, values(this->job));
            const double invstd = 1 / std::sqrt(found.variance + this->parameters.eps);
            set_affine(constants, at, found.mean, invstd, this->weight(channel), this->bias(channel));
            if (saved.mean != nullptr) saved.mean[channel] = found.mean, saved.invstd[channel] = invstd;
        });
    }
};

template <class S>
void forward_in(const Job& job, const Parameters& parameters, Saved saved, bool training, int threads) {
    const Passes passes = BNBENCH_CHOOSE(forward_passes)(job.dtype);
    const Plan sized = plan_for(job, 1, threads), plan = training ? sized : in_one(sized, job, threads);
    const Desks desks(threads, plan.width, job, passes.vector_bytes);
    pipeline(plan, job.shape.channels, threads, [&](int thread) {
        return Forward<S>{{job, parameters, passes, desks}, saved, training, desks.of(thread).sums};
    });
}

}  // namespace

void forward(Job job, const Parameters& parameters, Saved saved, bool training, int threads) {
    const Index moved = bytes(job) * (job.residual != nullptr ? 3 : 2);
    job.shape.rows = as_rows(job.shape);
    job.streaming = streams(moved);
    threads = threads_for(job, moved, threads);
    if (job.dtype == FLOAT64) forward_in<double>(job, parameters, saved, training, threads);
    else forward_in<float>(job, parameters, saved, training, threads);
}
