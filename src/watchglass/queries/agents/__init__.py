"""What agents and flows do: the questions of the pages about them."""
