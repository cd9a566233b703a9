"""The library: takes, results of several, uploads and jobs, in one database and one folder."""
