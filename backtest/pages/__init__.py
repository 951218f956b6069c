"""Reports: a Result as a folder of files, a page to read, and the index of all runs."""
