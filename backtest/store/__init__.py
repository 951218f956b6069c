"""Bytes: result folders, manifests, provenance, the ledger of trials. Knows no page.

`folder.write` writes a result, `manifest.finished` reads those of a folder of results; the ledgers count trials.
"""
