"""Folium maps of an assessment. Nothing else imports folium."""

from gisapp.maps.page import score_map

__all__ = ["score_map"]
