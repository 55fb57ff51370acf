"""Where a picture comes from: what AIGE writes into each result, and what it reads in the pictures of others.

A result carries a signed C2PA manifest and an XMP packet. `docs/provenance.md` says what stands in them. Only
`signing` and `child` import c2pa-python, and both late: no other process loads its library.
"""
