"""PyTorch and NumPy, four ways: what other implementations are measured against."""
