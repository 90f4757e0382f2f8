"""What readers take away: CSV, XLSX, Parquet, the DCAT catalogue."""
