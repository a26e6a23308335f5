"""The type of a file.

``active_types``      types whose content browsers execute, and the parts of a MIME type
``extension_types``   the types that files with an extension may have
``media_types``       one name for types that have several
``sniff``             the type by the first bytes
"""
