"""Training of small networks, reproducible: all that is random comes from a seed, and all that
counts is hashed.
"""
