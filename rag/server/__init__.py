"""Server: the HTTP interface, the tools of the Model Context Protocol, and who may reach them."""
