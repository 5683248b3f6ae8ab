"""The command line and the prompt of 04: what is typed becomes requests, and results are printed."""
