"""From a folder of radiographs to a release of versioned SavedModels."""
