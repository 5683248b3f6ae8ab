"""What 01 prints and exports."""
