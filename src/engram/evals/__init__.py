"""Did it remember? Benchmarks, baselines, measures and reports."""
