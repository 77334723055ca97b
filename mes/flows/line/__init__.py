"""Stories and processes of a running line: from the empty pallet to the pieces in the yard."""
