"""From a request's bytes to an answer's, and the server around it."""
