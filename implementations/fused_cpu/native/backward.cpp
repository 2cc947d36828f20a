// The backward: sums of products over a block, the coefficients that follow from them, then the
// block's gradients.
#include <isa.hpp>

#include "call_context.hpp"

Kernels backward_kernels_baseline(int dtype);
#if defined(BNBENCH_HAS_v3)
Kernels backward_kernels_v3(int dtype);
#endif
#if defined(BNBENCH_HAS_v4)
Kernels backward_kernels_v4(int dtype);
#endif

namespace {

// A channel's Σdz and Σdz·(x - mean).
struct GradientSums {
    double sum, dot;
};

GradientSums add_over_team(const Workspace& workspace, const Team& team, Index at) {
    GradientSums total = {0, 0};
    for (int thread = team.leader(); thread < team.leader() + team.size; ++thread) {
        total.sum += workspace.of(thread).accumulators.first[at];
        total.dot += workspace.of(thread).accumulators.second[at];
    }
    return total;
}

template <class S>
struct Backward : CallContext<S> {
    SavedStatistics saved;
    void *grad_weight, *grad_bias;
    Accumulators& accumulators;

    void begin(const Team& team, ChannelBlock block, int buffer) {
        const Coefficients<S> to = this->coefficients(team, buffer);
        this->compute_coefficients(
            team, block, {to.mean, to.scale, to.shift, to.a}, [&](Index at, Index channel) {
                const double weight = this->weight(channel), invstd = saved.invstd[channel];
                set_affine(to, at, saved.mean[channel], invstd, weight, this->bias(channel));
                to.a[at] = static_cast<S>(weight * invstd);
            });
        this->kernels.clear(this->args, block, accumulators);
    }
    // With frozen statistics outputs do not wait for sums, so both are of the current block.
    void pass(const Team& team, ChannelBlock previous, ChannelBlock current, Partition chunk,
              int buffer) {
        const bool frozen = this->args.frozen;
        const Coefficients<S> summed = this->coefficients(team, buffer);
        const Coefficients<S> written = frozen ? summed : this->coefficients(team, 1 - buffer);
        this->kernels.pass(this->args, {frozen ? current : previous, &written},
                           {current, &summed, &accumulators}, chunk);
    }
    void end(const Team& team, ChannelBlock block, int buffer) {
        const Coefficients<S> to = this->coefficients(team, buffer);
        const double n = values_per_channel(this->args);
        this->kernels.reduce(this->args, block, accumulators);
        team.wait();
        this->compute_coefficients(team, block, {to.b, to.c}, [&](Index at, Index channel) {
            GradientSums total = add_over_team(this->workspace, team, at);
            const double mean = saved.mean[channel], invstd = saved.invstd[channel];
            const double a = this->weight(channel) * invstd;
            // The kernels subtract the mean as S; its remaining digits are corrected for here.
            const double remainder = mean - static_cast<S>(mean);
            total.dot -= remainder * total.sum;
            const double b = -a * invstd * invstd * total.dot / n;
            to.b[at] = static_cast<S>(b);
            to.c[at] = static_cast<S>(-a * total.sum / n - b * remainder);
            store_scalar(grad_weight, this->parameters.dtype, channel, total.dot * invstd);
            store_scalar(grad_bias, this->parameters.dtype, channel, total.sum);
        });
    }
};

template <class S>
void run_backward(const KernelArgs& args, const Parameters& parameters, SavedStatistics saved,
                  void* grad_weight, void* grad_bias, int threads) {
    const Kernels kernels = BNBENCH_SELECT(backward_kernels)(args.dtype);
    const Blocking cached = choose_blocking(args, 2, threads);
    const Blocking blocking = args.frozen ? single_block(cached, args, threads) : cached;
    const Workspace workspace(threads, blocking.width, args, kernels.vector_bytes);
    run_pipeline(blocking, args.shape.channels, threads, [&](int thread) {
        return Backward<S>{{args, parameters, kernels, workspace},
                           saved,
                           grad_weight,
                           grad_bias,
                           workspace.of(thread).accumulators};
    });
}

}  // namespace

void backward(KernelArgs args, const Parameters& parameters, SavedStatistics saved,
              void* grad_weight, void* grad_bias, int threads) {
    const auto distance = reinterpret_cast<std::uintptr_t>(args.grad_input) -
                          reinterpret_cast<std::uintptr_t>(args.grad_residual);
    const Index moved = bytes_per_array(args) * (args.grad_residual != nullptr ? 4 : 3);
    args.shape.row_wise = prefer_rows(args.shape);
    // Two gradients can be streamed together only if they are aligned alike.
    args.streaming =
        prefer_streaming(moved) && (args.grad_residual == nullptr || distance % 64 == 0);
    threads = useful_threads(args, moved, threads);
    if (args.dtype == FLOAT64)
        run_backward<double>(args, parameters, saved, grad_weight, grad_bias, threads);
    else run_backward<float>(args, parameters, saved, grad_weight, grad_bias, threads);
}
