"""Signed tokens, which carry what the middleware must remember. No I/O.

``signed``     the common form of both tokens
``tickets``    permission for one upload in progress
``receipts``   proof of one completed upload
"""
