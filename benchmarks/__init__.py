"""Outrider beside what one would use instead, and beside the physical floor, in the same run."""
