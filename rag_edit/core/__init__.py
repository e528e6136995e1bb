"""The nouns: frozen values that the stages hand on. Standard library only."""
