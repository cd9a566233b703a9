"""Which of many scores a performance plays, and which part of it (docs/score_finding.md)."""

from tocco.music.score_finding.folder import FoundScore, LeftOutScore, ScoreFolder, open_score_folder

__all__ = ["FoundScore", "LeftOutScore", "ScoreFolder", "open_score_folder"]
