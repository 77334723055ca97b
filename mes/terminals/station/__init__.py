"""The station terminal: the job of one place, with big buttons."""
