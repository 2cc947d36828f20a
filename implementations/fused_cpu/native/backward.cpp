// A backward: products of a block, what follows of them for each channel, and the block once more.
#include <isa.hpp>

#include "driver.hpp"

Passes backward_passes_baseline(int dtype);
#if defined(BNBENCH_HAS_v3)
Passes backward_passes_v3(int dtype);
#endif
#if defined(BNBENCH_HAS_v4)
Passes backward_passes_v4(int dtype);
#endif

namespace {

// A channel's sums over the team's threads.
struct Gradient {
    double sum, dot;
};

Gradient gathered(const Desks& desks, const Team& team, Index at) {
    Gradient found = {0, 0};
    for (int thread = team.leader(); thread < team.leader() + team.size; ++thread) {
        found.sum += desks.of(thread).sums.first[at];
        found.dot += desks.of(thread).sums.second[at];
    }
    return found;
}

template <class S>
struct Backward : Call<S> {
    Saved saved;
    void *grad_weight, *grad_bias;
    Sums& sums;

    void begin(const Team& team, Block block, int set) {
        const Constants<S> to = this->constants(team, set);
        this->settle(team, block, {to.mean, to.scale, to.shift, to.a}, [&](Index at, Index channel) {
            const double weight = this->weight(channel), invstd = saved.invstd[channel];
            set_affine(to, at, saved.mean[channel], invstd, weight, this->bias(channel));
            to.a[at] = static_cast<S>(weight * invstd);
        });
        this->passes.clear(this->job, block, sums);
    }
    // With frozen statistics outputs do not wait for sums.
    void pass(const Team& team, Block before, Block now, Share run, int set) {
        const bool frozen = this->job.frozen;
        const Constants<S> known = this->constants(team, set), settled = frozen ? known : this->constants(team, 1 - set);
        this->passes.pass(this->job, {frozen ? now : before, &settled}, {now, &known, &sums}, run);
    }
    void end(const Team& team, Block block, int set) {
        const Constants<S> to = this->constants(team, set);
        const double n = values(this->job);
        this->passes.fold(this->job, block, sums);
        team.wait();
        this->settle(team, block, {to.b, to.c}, [&](Index at, Index channel) {
            Gradient found = gathered(this->desks, team, at);
            const double mean = saved.mean[channel], invstd = saved.invstd[channel], a = this->weight(channel) * invstd;
            const double rest = mean - static_cast<S>(mean);  // the sums are about the mean as a float
            found.dot -= rest * found.sum;
            const double b = -a * invstd * invstd * found.dot / n;
            to.b[at] = static_cast<S>(b);
            to.c[at] = static_cast<S>(-a * found.sum / n - b * rest);
            numbers::put(grad_weight, this->parameters.dtype, channel, found.dot * invstd);
            numbers::put(grad_bias, this->parameters.dtype, channel, found.sum);
        });
    }
};

template <class S>
void backward_in(const Job& job, const Parameters& parameters, Saved saved, void* grad_weight, void* grad_bias, int threads) {
    const Passes passes = BNBENCH_CHOOSE(backward_passes)(job.dtype);
    const Plan sized = plan_for(job, 2, threads), plan = job.frozen ? in_one(sized, job, threads) : sized;
    const Desks desks(threads, plan.width, job, passes.vector_bytes);
    pipeline(plan, job.shape.channels, threads, [&](int thread) {
        return Backward<S>{{job, parameters, passes, desks}, saved, grad_weight, grad_bias, desks.of(thread).sums};
    });
}

}  // namespace

void backward(Job job, const Parameters& parameters, Saved saved, void* grad_weight, void* grad_bias, int threads) {
    const auto apart = reinterpret_cast<std::uintptr_t>(job.grad_input) - reinterpret_cast<std::uintptr_t>(job.grad_residual);
    const Index moved = bytes(job) * (job.grad_residual != nullptr ? 4 : 3);
    job.shape.rows = as_rows(job.shape);
    job.streaming = streams(moved) && (job.grad_residual == nullptr || apart % 64 == 0);
    threads = threads_for(job, moved, threads);
    if (job.dtype == FLOAT64) backward_in<double>(job, parameters, saved, grad_weight, grad_bias, threads);
    else backward_in<float>(job, parameters, saved, grad_weight, grad_bias, threads);
}
