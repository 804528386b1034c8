"""The command line: a command parses its options, a function of the library does the work."""
