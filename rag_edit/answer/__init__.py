"""From a decision to the words that are served, checked."""
