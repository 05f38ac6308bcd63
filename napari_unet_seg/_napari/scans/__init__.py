"""The folder of scans that is corrected one after another."""
