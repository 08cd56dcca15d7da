"""Tables and documents of brokers, brought to the names and the layout of a night."""
