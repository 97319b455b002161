CREATE TABLE orders (what text NOT NULL, price integer NOT NULL);
