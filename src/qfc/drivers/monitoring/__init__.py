"""What a monitor leaves with a stack, and how its messages reach people."""
