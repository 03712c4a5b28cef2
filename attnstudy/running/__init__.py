"""Running a study: from a request to runs that are trained, each exactly once, and published."""
