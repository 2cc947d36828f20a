"""Is an implementation right? Numbers against the float64 oracle; shapes, errors and buffers
against PyTorch.
"""
