# What `native/binding.cpp` exports. Addresses are 0 for arrays that are not there; dtypes are
# `passes.hpp`'s numbers.

def forward(
    dtype: int,
    rows: bool,
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
    rows: bool,
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
def path() -> str: ...
def caches() -> tuple[int, int]: ...
def set_caches(second: int, last: int, /) -> None: ...
