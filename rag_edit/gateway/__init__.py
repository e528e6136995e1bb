"""The OpenAI-compatible gateway: records in front of a chatbot that is reached over HTTP."""
