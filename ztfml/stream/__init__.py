"""Live nights: read packets from a Kafka topic, and keep a list and a page up to date."""
