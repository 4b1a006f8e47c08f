"""Saved workspaces of Verasonics Vantage: frames, probe, waves and timing as the structs in them say."""
