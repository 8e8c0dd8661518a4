"""From cases of the graph to arrays: images, masks, dose, DVHs, registrations, exports."""
