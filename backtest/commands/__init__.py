"""What each command of the command line does: reads arguments, calls the library, prints."""
