"""The tab of correction tools."""
