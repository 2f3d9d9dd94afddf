"""What moved the total of a comparison, and by how much: shares that add up."""
