"""Readers, one per dataset."""
