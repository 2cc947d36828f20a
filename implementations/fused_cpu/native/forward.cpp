// The forward: moments of a block, the coefficients that follow from them, then the block's
// outputs.
#include <isa.hpp>

#include <cmath>

#include "call_context.hpp"

Kernels forward_kernels_baseline(int dtype);
#if defined(BNBENCH_HAS_v3)
Kernels forward_kernels_v3(int dtype);
#endif
#if defined(BNBENCH_HAS_v4)
Kernels forward_kernels_v4(int dtype);
#endif

namespace {

struct Statistics {
    double mean, variance;
};

// A channel's statistics over the whole team, merged in the order of its threads (Chan, Golub and
// LeVeque 1979). m2 is Σ(x - mean)².
Statistics merge_moments(const Workspace& workspace, const Team& team, Index at) {
    double count = 0, mean = 0, m2 = 0;
    for (int thread = team.leader(); thread < team.leader() + team.size; ++thread) {
        const Accumulators& accumulators = workspace.of(thread).accumulators;
        if (accumulators.count == 0) continue;
        const double fraction = accumulators.count / (count + accumulators.count);
        const double delta = accumulators.first[at] - mean;
        mean += fraction * delta;
        m2 += accumulators.second[at] + delta * delta * count * fraction;
        count += accumulators.count;
    }
    return {mean, m2 / count};
}

Statistics load_running(const Parameters& of, Index channel) {
    return {load_scalar(of.running_mean, of.dtype, channel, 0),
            load_scalar(of.running_var, of.dtype, channel, 1)};
}

// `n` values per channel; the variance that is stored is the unbiased one.
void update_running(const Parameters& of, Index channel, Statistics batch, double n) {
    const Statistics old = load_running(of, channel);
    const double kept = 1 - of.momentum;
    store_scalar(of.running_mean, of.dtype, channel, kept * old.mean + of.momentum * batch.mean);
    store_scalar(of.running_var, of.dtype, channel,
                 kept * old.variance + of.momentum * batch.variance * (n / (n - 1)));
}

template <class S>
struct Forward : CallContext<S> {
    SavedStatistics saved;
    bool training;
    Accumulators& accumulators;

    void begin(const Team&, ChannelBlock block, int) {
        if (training) this->kernels.clear(this->args, block, accumulators);
    }
    void pass(const Team& team, ChannelBlock previous, ChannelBlock current, Partition chunk,
              int buffer) {
        const Coefficients<S> coefficients = this->coefficients(team, 1 - buffer);
        this->kernels.pass(this->args, {previous, &coefficients},
                           {training ? current : ChannelBlock{}, nullptr, &accumulators}, chunk);
    }
    void end(const Team& team, ChannelBlock block, int buffer) {
        const Coefficients<S> to = this->coefficients(team, buffer);
        if (training) this->kernels.reduce(this->args, block, accumulators), team.wait();
        this->compute_coefficients(
            team, block, {to.mean, to.scale, to.shift}, [&](Index at, Index channel) {
                const Statistics statistics = training ? merge_moments(this->workspace, team, at)
                                                       : load_running(this->parameters, channel);
                if (training && this->parameters.running_mean != nullptr)
                    update_running(this->parameters, channel, statistics,
                                   values_per_channel(this->args));
                const double invstd = 1 / std::sqrt(statistics.variance + this->parameters.eps);
                set_affine(to, at, statistics.mean, invstd, this->weight(channel),
                           this->bias(channel));
                if (saved.mean != nullptr)
                    saved.mean[channel] = statistics.mean, saved.invstd[channel] = invstd;
            });
    }
};

template <class S>
void run_forward(const KernelArgs& args, const Parameters& parameters, SavedStatistics saved,
                 bool training, int threads) {
    const Kernels kernels = BNBENCH_SELECT(forward_kernels)(args.dtype);
    const Blocking cached = choose_blocking(args, 1, threads);
    const Blocking blocking = training ? cached : single_block(cached, args, threads);
    const Workspace workspace(threads, blocking.width, args, kernels.vector_bytes);
    run_pipeline(blocking, args.shape.channels, threads, [&](int thread) {
        return Forward<S>{{args, parameters, kernels, workspace},
                          saved,
                          training,
                          workspace.of(thread).accumulators};
    });
}

}  // namespace

void forward(KernelArgs args, const Parameters& parameters, SavedStatistics saved, bool training,
             int threads) {
    const Index moved = bytes_per_array(args) * (args.residual != nullptr ? 3 : 2);
    args.shape.row_wise = prefer_rows(args.shape);
    args.streaming = prefer_streaming(moved);
    threads = useful_threads(args, moved, threads);
    if (args.dtype == FLOAT64) run_forward<double>(args, parameters, saved, training, threads);
    else run_forward<float>(args, parameters, saved, training, threads);
}
