"""The report on somebody's gradient: the line that went wrong, and the document that a teacher hands back."""

from render.compose.verification.report import document

__all__ = ["document"]
