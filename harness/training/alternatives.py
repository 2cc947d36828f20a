"""The arms of a training that are no implementation of BN, by name."""

WITHOUT = "none"  # no normalization at all
GROUP = "group_norm"
LAYER = "layer_norm"
GHOST = "ghost_batch_norm"
ALTERNATIVES = (WITHOUT, GROUP, LAYER, GHOST)
