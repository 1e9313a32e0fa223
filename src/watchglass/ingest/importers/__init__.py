"""Calls that others recorded: files of JSON lines or CSV, read into rows of `store.calls`.

`lines` cuts a file into pieces, `records` reads a piece, `columns` says which of its columns mean what,
`values` reads them, `rows` makes Arrow rows of them, `identity` numbers equal ones, `sheets` runs these
over a file, `keeping` writes what the store does not have yet.
"""
