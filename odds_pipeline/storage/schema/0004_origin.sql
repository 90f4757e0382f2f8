-- Where the bytes of a delivery were taken from: JSON of reception/origin.py.
CREATE TABLE origins (
    delivery VARCHAR NOT NULL,
    origin VARCHAR NOT NULL
);
