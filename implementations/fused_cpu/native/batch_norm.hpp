// Batch norm on the CPU, in plain C++: the functions that the binding exports.
#pragma once

#include "kernel_api.hpp"

// Parameters and running statistics: arrays of shape (channels,), all of one dtype; null if absent.
struct Parameters {
    int dtype;
    const void *weight, *bias;
    void *running_mean, *running_var;
    double momentum, eps;
};

// What a forward saves for its backward: arrays of shape (channels,), invstd = 1/sqrt(var + eps).
struct SavedStatistics {
    double *mean, *invstd;
};

// `training` uses the batch's statistics and updates the running ones. Both functions choose
// `args.shape.row_wise` and `args.streaming` themselves.
void forward(KernelArgs args, const Parameters& parameters, SavedStatistics saved, bool training,
             int threads);
void backward(KernelArgs args, const Parameters& parameters, SavedStatistics saved,
              void* grad_weight, void* grad_bias, int threads);
