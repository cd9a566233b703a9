"""What each command does at the terminal."""
