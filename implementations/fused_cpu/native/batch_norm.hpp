// Batch norm on the CPU, in plain C++: what the binding exports.
#pragma once

#include "passes.hpp"

// Parameters and statistics, (channels,) each and of one dtype; null where there is none.
struct Parameters {
    int dtype;
    const void *weight, *bias;
    void *running_mean, *running_var;
    double momentum, eps;
};

// What a forward leaves for its backward: (channels,) each, invstd being 1/sqrt(var + eps).
struct Saved {
    double *mean, *invstd;
};

// `training` takes the batch's statistics and updates the running ones. The job's `streaming` is set here.
void forward(Job job, const Parameters& parameters, Saved saved, bool training, int threads);
void backward(Job job, const Parameters& parameters, Saved saved, void* grad_weight, void* grad_bias, int threads);
