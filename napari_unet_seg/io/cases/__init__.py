"""Cases: what a folder of scans holds, sorted by patient, visit and sequence."""
