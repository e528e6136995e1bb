"""Verification: a record's probes, the ladder of ways to answer, and the evidence of what held. Pure; who writes is injected."""
