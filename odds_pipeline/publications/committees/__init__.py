"""One page for each committee: monthly for the technical one, half-yearly for the steering one."""
