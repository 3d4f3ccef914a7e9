"""The benchmarks run, and measure what they say."""
