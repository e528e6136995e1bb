"""The frozen models: encoders and language models, local and upstream. `open` is the door."""
