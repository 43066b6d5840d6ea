"""What every request passes before it reaches a route: sizes, hosts, tokens, rates, and the headers of every answer."""
