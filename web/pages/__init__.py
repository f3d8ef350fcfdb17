"""The pages: plain HTML over the same use cases."""
