"""Bytes: result folders, manifest, provenance, the ledger of trials. Knows no page."""
