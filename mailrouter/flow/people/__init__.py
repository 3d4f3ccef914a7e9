"""Vendors and analysts, their keys and ours."""
