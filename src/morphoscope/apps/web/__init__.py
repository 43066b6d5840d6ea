"""The web page's server: a typed REST API, one router a file in `routes`, and the page built from `frontend`."""
