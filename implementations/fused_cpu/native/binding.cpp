// The Python module. It takes addresses and numbers, and checks nothing: kernels.py has done that.
// The GIL is released during a call.
#include <nanobind/nanobind.h>

#include <isa.hpp>

#include "batch_norm.hpp"
#include "blocking.hpp"

namespace nb = nanobind;

namespace {

using Address = std::uintptr_t;

template <class T = void>
T* pointer(Address address) {
    return reinterpret_cast<T*>(address);
}

int item_bytes(int dtype) { return dtype == FLOAT64 ? 8 : dtype == FLOAT32 ? 4 : 2; }

KernelArgs args_of_shape(int dtype, bool row_wise, Index samples, Index channels, Index pixels) {
    KernelArgs args = {};
    args.shape = {samples, channels, pixels, row_wise};
    args.dtype = dtype;
    args.item_bytes = item_bytes(dtype);
    return args;
}

void py_forward(int dtype, bool row_wise, Index samples, Index channels, Index pixels,
                Address input, Address residual, Address output, Address mask, int parameter_dtype,
                Address weight, Address bias, Address running_mean, Address running_var,
                Address saved, bool training, bool relu, double momentum, double eps, int threads) {
    KernelArgs args = args_of_shape(dtype, row_wise, samples, channels, pixels);
    args.input = pointer(input);
    args.residual = pointer(residual);
    args.output = pointer(output);
    args.mask = pointer<std::uint8_t>(mask);
    args.relu = relu;
    double* const mean = pointer<double>(saved);
    forward(args,
            {parameter_dtype, pointer(weight), pointer(bias), pointer(running_mean),
             pointer(running_var), momentum, eps},
            {mean, mean == nullptr ? nullptr : mean + channels}, training, threads);
}

void py_backward(int dtype, bool row_wise, Index samples, Index channels, Index pixels,
                 Address grad_output, Address input, Address mask, Address grad_input,
                 Address grad_residual, int parameter_dtype, Address weight, Address bias,
                 Address grad_weight, Address grad_bias, Address saved, bool training, bool relu,
                 int threads) {
    KernelArgs args = args_of_shape(dtype, row_wise, samples, channels, pixels);
    args.grad_output = pointer(grad_output);
    args.input = pointer(input);
    args.mask = pointer<std::uint8_t>(mask);
    args.grad_input = pointer(grad_input);
    args.grad_residual = pointer(grad_residual);
    args.relu_mask = !relu ? ReluMask::none : mask == 0 ? ReluMask::recomputed : ReluMask::stored;
    args.frozen = !training;
    double* const mean = pointer<double>(saved);
    backward(args, {parameter_dtype, pointer(weight), pointer(bias), nullptr, nullptr, 0, 0},
             {mean, mean + channels}, pointer(grad_weight), pointer(grad_bias), threads);
}

}  // namespace

NB_MODULE(_native, module) {
    const auto without_gil = nb::call_guard<nb::gil_scoped_release>();
    module.def("forward", &py_forward, without_gil);
    module.def("backward", &py_backward, without_gil);
    module.def("instruction_set", [] { return bnbench::isa_name(bnbench::selected_isa()); });
    module.def("cache_sizes",
               [] { return nb::make_tuple(cache_sizes().l2, cache_sizes().last_level); });
    module.def("set_cache_sizes",
               [](Index l2, Index last_level) { cache_sizes() = {l2, last_level}; });
}
