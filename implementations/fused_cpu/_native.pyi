# What `native/binding.cpp` exports. The address of an absent array is 0; dtypes are numbered as in
# `kernel_api.hpp`. Cache sizes are in bytes.

def forward(
    dtype: int,
    row_wise: bool,
    samples: int,
    channels: int,
    pixels: int,
    input: int,
    residual: int,
    output: int,
    mask: int,
    parameter_dtype: int,
    weight: int,
    bias: int,
    running_mean: int,
    running_var: int,
    saved: int,
    training: bool,
    relu: bool,
    momentum: float,
    eps: float,
    threads: int,
    /,
) -> None: ...
def backward(
    dtype: int,
    row_wise: bool,
    samples: int,
    channels: int,
    pixels: int,
    grad_output: int,
    input: int,
    mask: int,
    grad_input: int,
    grad_residual: int,
    parameter_dtype: int,
    weight: int,
    bias: int,
    grad_weight: int,
    grad_bias: int,
    saved: int,
    training: bool,
    relu: bool,
    threads: int,
    /,
) -> None: ...
def instruction_set() -> str: ...
def cache_sizes() -> tuple[int, int]: ...
def set_cache_sizes(l2: int, last_level: int, /) -> None: ...
