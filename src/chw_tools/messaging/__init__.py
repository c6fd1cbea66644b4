"""Gateways: one send each, and what providers tell back."""
