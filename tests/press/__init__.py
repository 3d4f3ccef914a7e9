"""Tests of the published site: its pages in a real browser, its folder, its files by stock programs."""
