"""For those who use AIGE: `aige.client` is its Python client, `aige.commands` its command line."""
