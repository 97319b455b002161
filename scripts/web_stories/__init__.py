"""Invented sessions made of the real models."""
