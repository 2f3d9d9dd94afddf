"""The command line: arguments become Workspace calls."""
