"""The scores as pure functions over arrays: no geometry, no network, no files."""
