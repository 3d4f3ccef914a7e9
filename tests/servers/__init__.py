"""Private copies of real servers, on free ports and in temporary folders, for the time of a test run."""
