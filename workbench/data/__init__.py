"""Datasets and the order of their rows. It knows neither networks nor devices."""
