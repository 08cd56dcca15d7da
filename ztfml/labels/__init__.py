"""Labels of alerts from rules, catalogues and people."""
