"""What runs: tools in their own processes."""
