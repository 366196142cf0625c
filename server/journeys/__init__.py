"""What needs two features at once: event -> next command, and use cases; to learn the process, read this folder."""
