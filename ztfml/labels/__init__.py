"""What alerts are said to be: by rule, by catalogue, by people."""
