"""Picture files, taken apart before a decoder sees them: what carries pixels is kept, whatever the rest looks like.

Each format has a module with two functions. `read` makes a `Container`; its `file` is a new file without metadata:
texts, previews, films behind the picture, wrong checksums and lengths are gone, and no text was unpacked. `claim` goes
by the header alone. Nothing here decodes pixels.
"""
