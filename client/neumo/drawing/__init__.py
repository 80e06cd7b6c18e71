"""Answers drawn for people: a picture with its heat map, HTML for Jupyter."""
