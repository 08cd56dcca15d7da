"""Light curves as plain arrays, and the compiled functions that work on them."""
