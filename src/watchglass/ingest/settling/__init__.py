"""The rules of settling, one file each; `watchglass.ingest.settle` puts them together."""
