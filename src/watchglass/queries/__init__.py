"""Named questions over the store, each tenant-scoped and limited; and the fence around a reader's own SQL."""
