"""Measuring: floors, loads and the mail to load with. Not part of the installed package."""
