"""A model package to an endpoint with a REST API, described and set up from the model itself."""
