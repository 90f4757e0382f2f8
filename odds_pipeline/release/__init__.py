"""What passed the gate becomes an immutable, numbered release; what releases say, how they differ."""
