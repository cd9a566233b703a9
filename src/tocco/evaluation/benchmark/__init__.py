"""An open benchmark: protocols, a leak guard, checked predictions, figures, and a leaderboard."""

from tocco.evaluation.benchmark.benchmark import Benchmark, BenchmarkResult, percepiano, ratings
from tocco.evaluation.benchmark.leaks import LeakReport, find_leaks, read_split

__all__ = [
    "Benchmark",
    "BenchmarkResult",
    "LeakReport",
    "find_leaks",
    "percepiano",
    "ratings",
    "read_split",
]
