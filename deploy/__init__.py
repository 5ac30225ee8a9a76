"""The command line behind `./ops` and the local stack it runs."""
