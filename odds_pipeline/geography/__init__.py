"""Territories, their geography vintages, and what adds up into what."""
