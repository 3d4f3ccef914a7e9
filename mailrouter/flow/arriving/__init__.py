"""The way of a mail: held against what we know, judged, filed, acknowledged."""
