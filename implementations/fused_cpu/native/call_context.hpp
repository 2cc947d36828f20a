// What the forward and the backward of a call have in common.
#pragma once

#include <initializer_list>

#include "batch_norm.hpp"
#include "pipeline.hpp"
#include "scalar_convert.hpp"
#include "workspace.hpp"

static inline Index values_per_channel(const KernelArgs& args) {
    return args.shape.samples * args.shape.pixels;
}
static inline Index bytes_per_array(const KernelArgs& args) {
    return values_per_channel(args) * args.shape.channels * args.item_bytes;
}

// Sets a channel's coefficients of the forward. The digits of the mean that a float cannot hold go
// into the shift.
template <class S>
void set_affine(const Coefficients<S>& to, Index at, double mean, double invstd, double weight,
                double bias) {
    to.mean[at] = static_cast<S>(mean);
    to.scale[at] = static_cast<S>(weight * invstd);
    to.shift[at] = static_cast<S>(bias - weight * invstd * (mean - to.mean[at]));
}

// One call, as each of its threads sees it. S is the type that the dtype is computed in.
template <class S>
struct CallContext {
    const KernelArgs& args;
    const Parameters& parameters;
    const Kernels& kernels;
    const Workspace& workspace;

    Coefficients<S> coefficients(const Team& team, int buffer) const {
        return workspace.of(team.leader()).template coefficients<S>(buffer);
    }
    double weight(Index channel) const {
        return load_scalar(parameters.weight, parameters.dtype, channel, 1);
    }
    double bias(Index channel) const {
        return load_scalar(parameters.bias, parameters.dtype, channel, 0);
    }

    // Calls f(index in the block, channel) for this thread's slice of the block's channels. On
    // return the whole team's coefficients in `arrays` are complete, and expanded where rows need
    // that.
    template <class F>
    void compute_coefficients(const Team& team, ChannelBlock block,
                              std::initializer_list<S*> arrays, F f) const {
        const ChannelBlock slice = team.channel_slice(block);
        for (Index at = slice.begin; at < slice.end; ++at) f(at, block.begin + at);
        team.wait();
        if (!args.shape.row_wise || args.shape.pixels == 1) return;
        if (team.rank == 0)
            for (S* array : arrays) kernels.expand(args, block, array);
        team.wait();
    }
};

// The blocking for calls whose outputs do not wait for sums: one block of all channels.
static inline Blocking single_block(Blocking blocking, const KernelArgs& args, int threads) {
    blocking.team = threads > 1;
    blocking.width = args.shape.channels;
    return blocking;
}
