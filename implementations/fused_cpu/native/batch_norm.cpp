// The passes put together: sums over a block, what follows of them for each channel, and the block once more.
#include "batch_norm.hpp"

#include <isa.hpp>

#include <cmath>

#include "desks.hpp"
#include "numbers.hpp"
#include "team.hpp"

Passes passes_baseline(int dtype);
#if defined(BNBENCH_HAS_v3)
Passes passes_v3(int dtype);
#endif
#if defined(BNBENCH_HAS_v4)
Passes passes_v4(int dtype);
#endif

namespace {

using numbers::get;
using numbers::put;

Index values(const Job& job) { return job.shape.samples * job.shape.pixels; }
Index bytes(const Job& job) { return values(job) * job.shape.channels * job.item; }

// The constants of the forward. What of the mean a float has no digits for goes into the shift.
template <class S>
void set_affine(const Constants<S>& to, Index at, double mean, double invstd, double weight, double bias) {
    to.mean[at] = static_cast<S>(mean);
    to.scale[at] = static_cast<S>(weight * invstd);
    to.shift[at] = static_cast<S>(bias - weight * invstd * (mean - to.mean[at]));
}

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
    return {get(of.running_mean, of.dtype, channel, 0), get(of.running_var, of.dtype, channel, 1)};
}

void update(const Parameters& of, Index channel, Statistics batch, double n) {
    const Statistics old = running(of, channel);
    put(of.running_mean, of.dtype, channel, (1 - of.momentum) * old.mean + of.momentum * batch.mean);
    put(of.running_var, of.dtype, channel, (1 - of.momentum) * old.variance + of.momentum * batch.variance * (n / (n - 1)));
}

// The second pass starts where the first ended, where that is what is still cached.
template <class F>
void in_runs(Share share, const Plan& plan, F f) {
    if (plan.backwards)
        for (Index end = share.end; end > share.begin; end -= plan.run)
            f(Share{end - plan.run > share.begin ? end - plan.run : share.begin, end, share.piece});
    else
        for (Index begin = share.begin; begin < share.end; begin += plan.run)
            f(Share{begin, begin + plan.run < share.end ? begin + plan.run : share.end, share.piece});
}

// Without sums to wait for, one block is as good as many.
Plan in_one(Plan plan, const Job& job, int threads) {
    plan.team = threads > 1;
    plan.width = job.shape.channels;
    plan.backwards = false;
    return plan;
}

template <class S>
void forward_in(const Job& job, const Parameters& parameters, Saved saved, bool training, int threads) {
    const Passes passes = BNBENCH_CHOOSE(passes)(job.dtype);
    const Plan sized = plan_for(job, 1, threads), plan = training ? sized : in_one(sized, job, threads);
    const Desks desks(threads, plan.width, job, passes.vector_bytes);
    for_blocks(plan, job.shape.channels, threads, [&](Team team, Block block) {
        Sums& sums = desks.of(team.number).sums;
        const Constants<S> constants = desks.of(team.leader()).as<S>();
        const Share share = team.share(plan);
        if (training) {
            passes.clear(job, block, sums);
            passes.moments(job, block, share, sums);
            passes.fold_moments(job, block, sums);
            team.wait();
        }
        const Block part = team.part(block);
        for (Index at = part.begin; at < part.end; ++at) {
            const Index channel = block.begin + at;
            const Statistics found = training ? joined(desks, team, at) : running(parameters, channel);
            if (training && parameters.running_mean != nullptr) update(parameters, channel, found, values(job));
            const double invstd = 1 / std::sqrt(found.variance + parameters.eps);
            set_affine(constants, at, found.mean, invstd, get(parameters.weight, parameters.dtype, channel, 1),
                       get(parameters.bias, parameters.dtype, channel, 0));
            if (saved.mean != nullptr) saved.mean[channel] = found.mean, saved.invstd[channel] = invstd;
        }
        team.wait();
        if (team.rank == 0) passes.spread(job, block, &constants);
        team.wait();
        in_runs(share, plan, [&](Share run) { passes.normalize(job, block, run, &constants); });
        team.wait();  // the constants are the team's, and the next block's are others
    });
}

// A channel's sums over the team's threads become the parameters' gradients and the constants of the input's.
struct Gradient {
    double sum, dot;
};

template <class S>
Gradient set_gradient(const Constants<S>& to, Index at, const Desks& desks, const Team& team, double mean, double invstd,
                      double weight, double n) {
    Gradient found = {0, 0};
    for (int thread = team.leader(); thread < team.leader() + team.size; ++thread) {
        found.sum += desks.of(thread).sums.first[at];
        found.dot += desks.of(thread).sums.second[at];
    }
    const double rest = mean - static_cast<S>(mean);  // the sums are about the mean as a float
    found.dot -= rest * found.sum;
    const double a = weight * invstd, b = -a * invstd * invstd * found.dot / n;
    to.b[at] = static_cast<S>(b);
    to.c[at] = static_cast<S>(-a * found.sum / n - b * rest);
    return found;
}

template <class S>
void backward_in(const Job& job, const Parameters& parameters, Saved saved, void* grad_weight, void* grad_bias, int threads) {
    const Passes passes = BNBENCH_CHOOSE(passes)(job.dtype);
    const Plan sized = plan_for(job, 2, threads), plan = job.frozen ? in_one(sized, job, threads) : sized;
    const Desks desks(threads, plan.width, job, passes.vector_bytes);
    for_blocks(plan, job.shape.channels, threads, [&](Team team, Block block) {
        Sums& sums = desks.of(team.number).sums;
        const Constants<S> constants = desks.of(team.leader()).as<S>();
        const Block part = team.part(block);
        const Share share = team.share(plan);
        const auto of = [&](const void* from, Index at, double absent) {
            return get(from, parameters.dtype, block.begin + at, absent);
        };
        const auto known = [&](Index at) {
            const Index channel = block.begin + at;
            const double weight = of(parameters.weight, at, 1);
            set_affine(constants, at, saved.mean[channel], saved.invstd[channel], weight, of(parameters.bias, at, 0));
            constants.a[at] = static_cast<S>(weight * saved.invstd[channel]);
        };
        const auto spread = [&] {
            team.wait();
            if (team.rank == 0) passes.spread(job, block, &constants);
            team.wait();
        };
        for (Index at = part.begin; at < part.end; ++at) known(at);
        spread();
        passes.clear(job, block, sums);
        // With frozen statistics the second pass does not wait for the first.
        in_runs(share, plan, [&](Share run) {
            passes.products(job, block, run, sums, &constants);
            if (job.frozen) passes.gradient(job, block, run, &constants);
        });
        passes.fold_products(job, block, sums);
        team.wait();
        for (Index at = part.begin; at < part.end; ++at) {
            const Index channel = block.begin + at;
            const Gradient found = set_gradient(constants, at, desks, team, saved.mean[channel], saved.invstd[channel],
                                                of(parameters.weight, at, 1), values(job));
            known(at);
            put(grad_weight, parameters.dtype, channel, found.dot * saved.invstd[channel]);
            put(grad_bias, parameters.dtype, channel, found.sum);
        }
        spread();
        if (job.frozen) return;
        in_runs(share, plan, [&](Share run) { passes.gradient(job, block, run, &constants); });
        team.wait();  // the constants are the team's, and the next block's are others
    });
}

}  // namespace

void forward(Job job, const Parameters& parameters, Saved saved, bool training, int threads) {
    const Index moved = bytes(job) * (job.residual != nullptr ? 3 : 2);
    job.shape.rows = as_rows(job.shape);
    job.streaming = streams(moved);
    threads = threads_for(moved, threads);
    if (job.dtype == FLOAT64) forward_in<double>(job, parameters, saved, training, threads);
    else forward_in<float>(job, parameters, saved, training, threads);
}

void backward(Job job, const Parameters& parameters, Saved saved, void* grad_weight, void* grad_bias, int threads) {
    const auto apart = reinterpret_cast<std::uintptr_t>(job.grad_input) - reinterpret_cast<std::uintptr_t>(job.grad_residual);
    const Index moved = bytes(job) * (job.grad_residual != nullptr ? 4 : 3);
    job.shape.rows = as_rows(job.shape);
    job.streaming = streams(moved) && (job.grad_residual == nullptr || apart % 64 == 0);
    threads = threads_for(moved, threads);
    if (job.dtype == FLOAT64) backward_in<double>(job, parameters, saved, grad_weight, grad_bias, threads);
    else backward_in<float>(job, parameters, saved, grad_weight, grad_bias, threads);
}

const char* path() { return bnbench::isa_name(bnbench::chosen_isa()); }
