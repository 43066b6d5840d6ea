"""One router a file; `app.create_app` includes them all."""
