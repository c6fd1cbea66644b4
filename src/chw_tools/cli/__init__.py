"""`chw` on the command line: one command for each act; the app is in :mod:`chw_tools.cli.main`."""
