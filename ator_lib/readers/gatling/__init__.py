"""Gatling: its simulation.log as text and as binary, and the statistics that its reports hold."""
