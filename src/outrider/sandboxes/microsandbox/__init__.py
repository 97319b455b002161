"""Sandboxes as microVMs, by the optional package `microsandbox`. Written and typed against version 0.7.11, and run by
its authors' word only: no machine that we had could boot one. What stands between that and a person is the boot probe.
"""
