// The Python module: pointers and numbers in, nothing checked that Python has checked. The interpreter goes on meanwhile.
#include <nanobind/nanobind.h>

#include <isa.hpp>

#include "batch_norm.hpp"
#include "plan.hpp"

namespace nb = nanobind;

namespace {

using Address = std::uintptr_t;

template <class T = void>
T* at(Address address) {
    return reinterpret_cast<T*>(address);
}

int size_of(int dtype) { return dtype == FLOAT64 ? 8 : dtype == FLOAT32 ? 4 : 2; }

Job job_of(int dtype, bool rows, Index samples, Index channels, Index pixels) {
    Job job = {};
    job.shape = {samples, channels, pixels, rows};
    job.dtype = dtype;
    job.item = size_of(dtype);
    return job;
}

void forward_of(int dtype, bool rows, Index samples, Index channels, Index pixels, Address input, Address residual,
                Address output, Address mask, int parameter_dtype, Address weight, Address bias, Address running_mean,
                Address running_var, Address saved, bool training, bool relu, double momentum, double eps, int threads) {
    Job job = job_of(dtype, rows, samples, channels, pixels);
    job.input = at(input);
    job.residual = at(residual);
    job.output = at(output);
    job.mask = at<std::uint8_t>(mask);
    job.relu = relu;
    double* const mean = at<double>(saved);
    forward(job, {parameter_dtype, at(weight), at(bias), at(running_mean), at(running_var), momentum, eps},
            {mean, mean == nullptr ? nullptr : mean + channels}, training, threads);
}

void backward_of(int dtype, bool rows, Index samples, Index channels, Index pixels, Address grad_output, Address input,
                 Address mask, Address grad_input, Address grad_residual, int parameter_dtype, Address weight, Address bias,
                 Address grad_weight, Address grad_bias, Address saved, bool training, bool relu, int threads) {
    Job job = job_of(dtype, rows, samples, channels, pixels);
    job.grad_output = at(grad_output);
    job.input = at(input);
    job.mask = at<std::uint8_t>(mask);
    job.grad_input = at(grad_input);
    job.grad_residual = at(grad_residual);
    job.slope = !relu ? Slope::one : mask == 0 ? Slope::recomputed : Slope::stored;
    job.frozen = !training;
    double* const mean = at<double>(saved);
    backward(job, {parameter_dtype, at(weight), at(bias), nullptr, nullptr, 0, 0}, {mean, mean + channels}, at(grad_weight),
             at(grad_bias), threads);
}

}  // namespace

NB_MODULE(_native, module) {
    const auto alone = nb::call_guard<nb::gil_scoped_release>();
    module.def("forward", &forward_of, alone);
    module.def("backward", &backward_of, alone);
    module.def("path", [] { return bnbench::isa_name(bnbench::chosen_isa()); });
    module.def("caches", [] { return nb::make_tuple(caches().second, caches().last); });
    module.def("set_caches", [](Index second, Index last) { caches() = {second, last}; });
}
