"""The built-in transcriber: transkun 2.0 (Yan and Duan 2024), streamed and stitched by tocco."""

from tocco.audio.transcription.transkun.transcriber import Transkun

__all__ = ["Transkun"]
