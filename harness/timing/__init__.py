"""Paired, interleaved timing of arms that live in worker processes."""
