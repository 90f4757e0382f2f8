-- Where the bytes were taken from: JSON of reception/origin.py.
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS origin VARCHAR;
