"""play.html: a run's models in one page, computed by JavaScript of the project's own."""
