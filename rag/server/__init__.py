"""Server: the HTTP interface, the tools of the Model Context Protocol, and access to them."""
