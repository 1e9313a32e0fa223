"""Prometheus on the application's side: counted where it happens, summed over workers, read by a scrape."""
